using System.Collections.Concurrent;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>Makes the servers of a federation answer oddly, by a seed: the same question in the same case gets the same answer.</summary>
/// <param name="federation">The federation; its servers keep on knowing the truth.</param>
internal sealed class OddServers(TestFederation federation)
{
    private const int Soon = 3;
    private const string Mark = "odd=1";

    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(700);

    private readonly ConcurrentDictionary<(FederationServer, string, string), int> _asked = new();
    private readonly ConcurrentQueue<string> _story = new();
    private int _seed;
    private int _odd;
    private bool _on;

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
        foreach (FederationServer server in (FederationServer[])[federation.Director, .. federation.Origins, .. federation.Caches])
        {
            server.Requests.Clear();
        }
    }

    private async Task<Reply> AnswerAsync(FederationServer server, Request request, Func<Task<Reply>> next, CancellationToken cancellationToken)
    {
        int count = _asked.AddOrUpdate((server, request.Method, request.RawPath), 1, (_, before) => before + 1);
        Random random = new(HashOf($"{_seed} {request.Method} {request.Path} {count} {server.GetType().Name} {server.Dialect}"));
        // Who asks again gets an answer in the end, so that not everything only fails.
        if (random.Next(100) < (count > Soon ? 90 : 55))
        {
            Reply sound = await next();
            Tell(request, $"{sound.Status}");
            return sound;
        }

        Interlocked.Increment(ref _odd);
        string what = random.Next(100) switch
        {
            < 12 => "refusal",
            < 22 when server is not Director && !request.Query.Contains(Mark, StringComparison.Ordinal) => "redirect",
            < 24 when request.Method is "PUT" or "DELETE" => "accepted, not done",
            < 27 when request.Method == "PUT" => "half kept",
            < 29 when request.Method == "HEAD" => "size 0",
            < 30 => "silence",
            _ => "change",
        };
        if (what == "change" && request.Headers["Range"] is not null && random.Next(4) == 0)
        {
            request.RangeIgnored = true;
        }

        Reply reply = what switch
        {
            "refusal" => await RefuseAsync(request, random, cancellationToken),
            "redirect" => await RedirectAsync(server, request, random, cancellationToken),
            "accepted, not done" => await AfterBodyAsync(request, new Reply(202, "queued"), cancellationToken),
            "silence" => await BeSilentAsync(cancellationToken),
            "half kept" => await KeepHalfAsync(request, next, cancellationToken),
            _ => await next(),
        };
        if (what == "size 0")
        {
            reply.Headers["Content-Length"] = reply.Status == 200 ? "0" : null;
            HasLied |= reply.Status == 200;
        }

        if (what == "change")
        {
            what = OddReply.Change(request, reply, random);
            what += random.Next(4) == 0 && reply is { Raw: null, Unanswered: false } ? ", " + OddReply.Change(request, reply, random) : "";
        }

        Tell(request, $"{reply.Status} {what} {reply.Headers["Location"]}");
        return reply;
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

    private static async Task<Reply> RedirectAsync(FederationServer server, Request request, Random random, CancellationToken cancellationToken)
    {
        string target = request.RawPath + "?" + (request.Query.Length == 0 ? "" : request.Query + "&") + Mark;
        bool shared = request.Prefix.Length > 0 && server.SharedWith is not null;
        FederationServer port = shared ? server.SharedWith! : server;
        Reply reply = new(OddReply.Some(random, 301, 302, 303, 307, 308), "<a>moved</a>", "text/html");
        reply.Headers["Location"] = OddReply.Some(random, port.Url + target, port.UrlByAddress + target, target, port.Url + target + "#part", "//" + port.Host + target,
            OddReply.Some(random, "", "http://", "https://localhost:1/x", "ftp://localhost/x", "?odd=1", "data:,x", port.Url + target + "%zz"));
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

    private void Tell(Request request, string what) =>
        _story.Enqueue($"{request.Method} {request.Target}{(request.Headers["Range"] is { } range ? " " + range : "")} -> {what}");
}
