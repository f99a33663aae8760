using System.Collections.Concurrent;
using System.Globalization;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>Makes the servers of a federation answer oddly, by a seed: the same question in the same case gets the same answer.</summary>
/// <param name="federation">The federation; its servers keep on knowing the truth.</param>
/// <param name="counts">How often each kind of answer was given.</param>
internal sealed class OddServers(TestFederation federation, ConcurrentDictionary<string, int> counts)
{
    private const int Soon = 3;
    private const string Mark = "odd=1";

    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(700);

    private readonly ConcurrentDictionary<(FederationServer, string, string), int> _asked = new();
    private readonly ConcurrentQueue<string> _story = new();
    private int _seed;
    private int _odd;
    private bool _on;

    /// <summary>Sees each request before it is answered.</summary>
    public Action<FederationServer, Request> Arriving { get; set; } = (_, _) => { };

    /// <summary>Sees each answer before it is sent.</summary>
    public Action<FederationServer, Request, Reply> Leaving { get; set; } = (_, _, _) => { };

    /// <summary>Odd answers so far.</summary>
    public int Odd => Volatile.Read(ref _odd);

    /// <summary>What was asked in this case, and what was done to the answers.</summary>
    public string Story => string.Join('\n', _story);

    /// <summary>Whether a server told a size of 0 that was not so, or kept half of what it took.</summary>
    public bool HasLied { get; private set; }

    /// <summary>Has all servers answer so, once <see cref="Begin"/> was called.</summary>
    public void Install()
    {
        foreach (FederationServer server in (FederationServer[])[federation.Director, .. federation.Origins, .. federation.Caches])
        {
            server.Faults.Add(new Fault(_ => _on, (request, next, cancellationToken) => AnswerAsync(server, request, next, cancellationToken)));
        }
    }

    /// <summary>Begins a case.</summary>
    public void Begin(int seed)
    {
        _asked.Clear();
        _story.Clear();
        (HasLied, _seed, _on) = (false, seed, true);
    }

    /// <summary>From here on the truth is told.</summary>
    public void End()
    {
        _on = false;
        (Arriving, Leaving) = ((_, _) => { }, (_, _, _) => { });
        foreach (FederationServer server in (FederationServer[])[federation.Director, .. federation.Origins, .. federation.Caches])
        {
            server.Requests.Clear();
        }
    }

    private async Task<Reply> AnswerAsync(FederationServer server, Request request, Func<Task<Reply>> next, CancellationToken cancellationToken)
    {
        Arriving(server, request);
        int count = _asked.AddOrUpdate((server, request.Method, request.RawPath), 1, (_, before) => before + 1);
        Random random = new(HashOf($"{_seed} {request.Method} {request.Path} {count} {server.GetType().Name} {server.Dialect}"));
        // Who asks again gets an answer in the end, so that not everything only fails.
        if (random.Next(100) < (count > Soon ? 90 : 55))
        {
            Reply sound = await next();
            Tell(server, request, $"{sound.Status}");
            Leaving(server, request, sound);
            return sound;
        }

        Interlocked.Increment(ref _odd);
        string what = Kind(server, request, random);
        Reply reply = await AnswerAsync(server, request, what, random, next, cancellationToken);
        if (what == "change")
        {
            what = Change(request, reply, random);
            what += random.Next(4) == 0 && reply is { Raw: null, Unanswered: false } ? ", " + Change(request, reply, random) : "";
        }
        else
        {
            Count(what);
        }

        Tell(server, request, $"{reply.Status} {what} {reply.Headers["Location"]}");
        Leaving(server, request, reply);
        return reply;
    }

    private static string Kind(FederationServer server, Request request, Random random) => random.Next(100) switch
    {
        < 12 => "refusal",
        < 22 when server is not Director && !request.Query.Contains(Mark, StringComparison.Ordinal) => "redirect",
        < 24 when request.Method is "PUT" or "DELETE" => "accepted, not done",
        < 25 when request.Method is "DELETE" or "MOVE" or "MKCOL" => "members that failed, not done",
        < 27 when request.Method == "PUT" => "half kept",
        < 30 when request.Method == "PUT" => "upload cut",
        < 29 when request.Method == "HEAD" => "size 0",
        < 30 => "silence",
        // Of its own; who leads to another server answers for that one.
        < 32 when server is not Origin && request.Method is "GET" or "HEAD" or "PROPFIND" && !request.Query.Contains(Mark, StringComparison.Ordinal) => "unknown here",
        < 45 when request.Headers["Range"] is not null => "other range",
        _ => "change",
    };

    private async Task<Reply> AnswerAsync(FederationServer server, Request request, string what, Random random, Func<Task<Reply>> next, CancellationToken cancellationToken)
    {
        switch (what)
        {
            case "refusal":
                return await RefuseAsync(request, random, cancellationToken);
            case "redirect":
                return await RedirectAsync(server, request, random, cancellationToken);
            case "accepted, not done":
                return await AfterBodyAsync(request, new Reply(202, "queued"), cancellationToken);
            case "members that failed, not done":
                Reply failures = new(207);
                OddListing.OfFailures(request, failures, random);
                return failures;
            case "half kept":
                return await KeepHalfAsync(request, next, cancellationToken);
            case "upload cut":
                return await FaultAction.CutUploadAfter(random.Next(200_000), OddReply.Some(random, Ending.Close, Ending.Reset))(request, next, cancellationToken);
            case "silence":
                return await BeSilentAsync(cancellationToken);
            case "unknown here":
                return new Reply(404, "not here\n", "text/plain");
            case "other range":
                request.Headers["Range"] = OtherRange(request.Headers["Range"]!, random);
                return await next();
            case "size 0":
                Reply reply = await next();
                reply.Headers["Content-Length"] = reply.Status == 200 ? "0" : null;
                HasLied |= reply.Status == 200;
                return reply;
            default:
                request.RangeIgnored = request.Headers["Range"] is not null && random.Next(4) == 0;
                return await next();
        }
    }

    private string Change(Request request, Reply reply, Random random)
    {
        string name = OddReply.Change(request, reply, random);
        Count(name);
        return name;
    }

    private void Count(string what) => counts.AddOrUpdate(what, 1, (_, before) => before + 1);

    // A true answer to another question: less, more, earlier or later than what was asked for.
    private static string OtherRange(string range, Random random)
    {
        string[] parts = range.Replace("bytes=", "", StringComparison.Ordinal).Split('-');
        if (parts.Length != 2 || !long.TryParse(parts[0], CultureInfo.InvariantCulture, out long first))
        {
            return "bytes=0-";
        }

        long last = long.TryParse(parts[1], CultureInfo.InvariantCulture, out long told) ? told : first + 1000;
        return FormattableString.Invariant(OddReply.Some<FormattableString>(random,
            $"bytes={Math.Max(0, first - 5)}-{last}", $"bytes={first + 5}-{last + 5}", $"bytes={first}-", $"bytes=0-{last}", $"bytes={first}-{first}", $"bytes={last}-{last}"));
    }

    private static int HashOf(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)(hash & int.MaxValue);
    }

    private static async Task<Reply> RefuseAsync(Request request, Random random, CancellationToken cancellationToken)
    {
        Reply reply = OddReply.Refusal(random);
        return random.Next(2) == 0 ? reply : await AfterBodyAsync(request, reply, cancellationToken);
    }

    private static async Task<Reply> AfterBodyAsync(Request request, Reply reply, CancellationToken cancellationToken)
    {
        await request.Body.CopyToAsync(Stream.Null, cancellationToken);
        return reply;
    }

    private static async Task<Reply> BeSilentAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Silence, cancellationToken);
        return new Reply(0) { Unanswered = true };
    }

    private async Task<Reply> RedirectAsync(FederationServer server, Request request, Random random, CancellationToken cancellationToken)
    {
        string target = request.RawPath + "?" + (request.Query.Length == 0 ? "" : request.Query + "&") + Mark;
        bool shared = request.Prefix.Length > 0 && server.SharedWith is not null;
        FederationServer port = shared ? server.SharedWith! : server;
        int status = OddReply.Some(random, 301, 302, 303, 307, 308);
        Reply reply = new(status, "<a>moved</a>", "text/html");
        string at = OddReply.Some(random, port.Url + target, port.UrlByAddress + target, target, port.Url + target + "#part", "//" + port.Host + target, request.Target,
            OddReply.Some(random, "", "http://", "https://localhost:1/x", "ftp://localhost/x", "?odd=1", "data:,x", port.Url + target + "%zz"));
        bool reads = request.Method is "GET" or "HEAD" or "PROPFIND";
        FederationServer other = server is Origin ? federation.Cache : federation.Origin;
        at = reads && random.Next(4) == 0 ? $"{other.DataUrl}{target[request.Prefix.Length..]}" : at;
        // RFC 9110, 15.4.4: what tells of the outcome is elsewhere; nothing is to be done to that.
        reply.Headers["Location"] = status == 303 && !reads && random.Next(2) == 0 ? request.RawPath[..(request.RawPath.LastIndexOf('/') + 1)] + "other" : at;
        return random.Next(2) == 0 ? reply : await AfterBodyAsync(request, reply, cancellationToken);
    }

    private async Task<Reply> KeepHalfAsync(Request request, Func<Task<Reply>> next, CancellationToken cancellationToken)
    {
        using MemoryStream whole = new();
        await request.Body.CopyToAsync(whole, cancellationToken);
        request.Body = new MemoryStream(whole.ToArray()[..(int)(whole.Length / 2)]);
        HasLied = true;
        return await next();
    }

    /// <summary>Adds a line to the story.</summary>
    public void Tell(string what) => _story.Enqueue(what);

    private void Tell(FederationServer server, Request request, string what) =>
        _story.Enqueue($"{server.GetType().Name}: {request.Method} {request.Target}{(request.Headers["Range"] is { } range ? " " + range : "")} -> {what}");
}
