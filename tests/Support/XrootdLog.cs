using System.Globalization;
using System.Text.RegularExpressions;

namespace Pelican.Tests.Support;

/// <summary>One HTTP request to an XRootD server, as its log tells it.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="Target">As sent: escaped, with the query.</param>
/// <param name="Range">Value of the request's <c>Range</c>; null when it had none.</param>
/// <param name="Status">The final answer's; null when none was given.</param>
/// <param name="BodyBytes">Bytes of the answer's body handed to the connection, framing left out.</param>
public sealed record XrootdRequest(string Method, string Target, string? Range, int? Status, long BodyBytes);

/// <summary>Reads what <c>http.trace all</c> writes, alike in XRootD 5.5, 5.8 and 6.2.</summary>
internal static partial class XrootdLog
{
    /// <summary>The requests of a log in the order of their arrival.</summary>
    public static IReadOnlyList<XrootdRequest> Parse(IEnumerable<string> lines)
    {
        List<Exchange> exchanges = [];
        // A line names its thread always and its connection sometimes: a connection wanders from thread to thread,
        // and whatever a thread says belongs to the connection that it named last.
        Dictionary<string, string> connections = [];
        Dictionary<string, Exchange> current = [];
        foreach (Match line in lines.Select(line => Line().Match(line)).Where(match => match.Success))
        {
            string thread = line.Groups["thread"].Value;
            if (line.Groups["connection"].Success)
            {
                connections[thread] = line.Groups["connection"].Value;
            }

            string text = line.Groups["text"].Value.Trim();
            string connection = connections.GetValueOrDefault(thread, "");
            if (FirstLine().Match(text) is { Success: true } first)
            {
                Exchange exchange = new(first.Groups["method"].Value, first.Groups["target"].Value);
                exchanges.Add(exchange);
                current[connection] = exchange;
            }
            else
            {
                current.GetValueOrDefault(connection)?.Read(text);
            }
        }

        return [.. exchanges.Select(exchange => exchange.Request)];
    }

    [GeneratedRegex(
        @"^\d{6} \d\d:\d\d:\d\d (?<thread>\d+) (\S+:(?<connection>\d+)@\S+ )?http_(Protocol|Req): (?<text>.*)$")]
    private static partial Regex Line();

    [GeneratedRegex("^Parsing first line: (?<method>[A-Z]+) (?<target>.*) HTTP/")]
    private static partial Regex FirstLine();

    [GeneratedRegex("got hdr line: range: *(?<range>.*)$", RegexOptions.IgnoreCase)]
    private static partial Regex RangeHeader();

    [GeneratedRegex(@"^Sending resp: (?<status>\d+) header len:(?<bytes>\d+)$")]
    private static partial Regex Head();

    [GeneratedRegex(@"^Sending (?<chunk>encoded chunk of size )?(?<bytes>\d+)( bytes)?$")]
    private static partial Regex Body();

    private sealed class Exchange(string method, string target)
    {
        private bool _chunked;

        public XrootdRequest Request { get; private set; } =
            new(method, target, Range: null, Status: null, BodyBytes: 0);

        public void Read(string text)
        {
            if (RangeHeader().Match(text) is { Success: true } range)
            {
                Request = Request with { Range = range.Groups["range"].Value };
            }
            else if (text == "Starting chunked response")
            {
                _chunked = true;
            }
            else if (Head().Match(text) is { Success: true } head)
            {
                // The head's bytes are counted again in the line that follows.
                int status = (int)Number(head, "status");
                Request = Request with
                {
                    Status = status < 200 ? Request.Status : status,
                    BodyBytes = Request.BodyBytes - (_chunked ? 0 : Number(head, "bytes")),
                };
            }
            else if (Body().Match(text) is { Success: true } body && body.Groups["chunk"].Success == _chunked)
            {
                Request = Request with { BodyBytes = Request.BodyBytes + Number(body, "bytes") };
            }
        }

        private static long Number(Match match, string group) =>
            long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }
}
