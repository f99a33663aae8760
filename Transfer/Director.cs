using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Pelican.Transfer;

/// <summary>What is asked of a director.</summary>
/// <param name="Method">GET to read, PROPFIND to look or list, PUT to write, DELETE to remove.</param>
/// <param name="Url">The object.</param>
/// <param name="DirectRead">Whether only origins will do.</param>
/// <param name="Token">Bearer token for a second question; null for the first, which is always asked without.</param>
internal sealed record DirectorQuestion(HttpMethod Method, ObjectUrl Url, bool DirectRead, string? Token)
{
    /// <summary>The query that goes with it.</summary>
    public string Query => DirectRead && !Url.DirectRead
        ? Url.Query.Length == 0 ? "directread" : Url.Query + "&directread"
        : Url.Query;
}

/// <summary>Asks directors which servers to use, and remembers their answers by namespace (federation-protocol 2).</summary>
internal sealed class Director(HttpStack http, ClientSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(5);

    /// <summary>How long a failure stands for those who ask next: who has waited for it anyway has waited long enough.</summary>
    private static readonly TimeSpan BadFor = TimeSpan.FromSeconds(1);

    /// <summary>Within this time a namespace that has answered is known to exist, whatever a restart of its servers makes the director say.</summary>
    private static readonly TimeSpan SeenFor = TimeSpan.FromHours(6);

    /// <summary>Answers kept: each token makes answers of its own.</summary>
    private const int MaxKnown = 512;

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Turn> _turns = new(StringComparer.Ordinal);

    private sealed record Known(DirectorAnswer Answer, IReadOnlyList<Uri> Bases, long Asked);

    /// <summary>One question at a time, and how the last one failed.</summary>
    private sealed class Turn
    {
        public SemaphoreSlim Free { get; } = new(1);

        public int Users { get; set; }

        public (PelicanException Why, long Ended)? Failure { get; set; }
    }

    /// <summary>Answers in memory, for tests.</summary>
    internal int Remembered => _known.Count + _turns.Count;

    /// <summary>The servers for an object, from memory where one question already told for its namespace.</summary>
    /// <param name="federation">The federation; it has a director.</param>
    /// <param name="question">What is asked.</param>
    /// <param name="afresh">Ask again even if the answer is known: it led to nothing.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>The answer, and whether it came from memory.</returns>
    public async Task<(DirectorAnswer Answer, bool FromMemory)> AskAsync(
        Federation federation, DirectorQuestion question, bool afresh, CancellationToken cancellationToken)
    {
        string flavour = Flavour(federation, question);
        if (!afresh && Recall(flavour, question.Url.Path) is { } known)
        {
            return (known, true);
        }

        // One question at a time of each flavour: the first answer usually serves all who wait.
        long since = clock.GetTimestamp();
        Turn turn = Enter(flavour);
        try
        {
            await turn.Free.WaitAsync(cancellationToken);
            try
            {
                if (!afresh && Recall(flavour, question.Url.Path) is { } answered)
                {
                    return (answered, true);
                }

                // A director that fails, fails all who wait for it.
                if (turn.Failure is var (why, ended) && (ended >= since || clock.GetElapsedTime(ended) < BadFor))
                {
                    throw Again(why);
                }

                return (Remember(flavour, question.Url.Path, await AskAsync(federation.Director!, question, turn, cancellationToken)), false);
            }
            finally
            {
                turn.Free.Release();
            }
        }
        finally
        {
            Leave(flavour, turn);
        }
    }

    private async Task<DirectorAnswer> AskAsync(Uri director, DirectorQuestion question, Turn turn, CancellationToken cancellationToken)
    {
        try
        {
            turn.Failure = null;
            return await AskWithRetriesAsync(director, question, cancellationToken);
        }
        catch (PelicanException e) when (e.Retryable)
        {
            turn.Failure = (e, clock.GetTimestamp());
            throw;
        }
        catch (PelicanException e) when (e.Row == Errors.NotFound && WasSeen(director, question.Url.Path))
        {
            if (question.Method == HttpMethod.Get && await HasServersAsync(director, question, cancellationToken))
            {
                // They may have come back in between.
                return await AskWithRetriesAsync(director, question, cancellationToken);
            }

            // The director says the same of a namespace whose servers are being restarted as of one that does not exist.
            throw new PelicanException(e.Row, e.Message, "Its servers answered a while ago: they may be down or restarting. Try again in some minutes.", e)
            {
                ServersMayBeDown = true,
            };
        }
    }

    // A namespace of several origins is looked through for an object before GET is answered, and so 404 may be of the object alone
    // (pelican-servers.md 17.2). For PROPFIND nothing is looked for.
    private async Task<bool> HasServersAsync(Uri director, DirectorQuestion question, CancellationToken cancellationToken)
    {
        try
        {
            await AskWithRetriesAsync(director, question with { Method = HttpStack.Propfind }, cancellationToken);
            return true;
        }
        catch (PelicanException e)
        {
            // Not offered is said of servers that are there.
            return e.Row == Errors.NotSupported;
        }
    }

    private static PelicanException Again(PelicanException e) => e.With(e.Message, e.NextStep);

    private Turn Enter(string flavour)
    {
        lock (_turns)
        {
            if (!_turns.TryGetValue(flavour, out Turn? turn))
            {
                _turns[flavour] = turn = new Turn();
            }

            turn.Users++;
            return turn;
        }
    }

    // A turn that failed a moment ago is kept for those who come next, until there are many of them.
    private void Leave(string flavour, Turn turn)
    {
        lock (_turns)
        {
            turn.Users--;
            if (turn is { Users: 0, Failure: null })
            {
                _turns.Remove(flavour);
            }
            else if (_turns.Count > MaxKnown)
            {
                foreach ((string old, _) in _turns.Where(pair => pair.Value is { Users: 0 }).ToList())
                {
                    _turns.Remove(old);
                }
            }
        }
    }

    private static string Flavour(Federation federation, DirectorQuestion question)
    {
        string credential = question.Token is null ? "" : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(question.Token)), 0, 8);
        string query = string.Join('&', question.Query.Split('&').Order(StringComparer.Ordinal));
        return $"{federation.Director!.AbsoluteUri} {question.Method} {query} {credential} ";
    }

    // From the object's own path up to the root: the longest prefix that is known.
    private DirectorAnswer? Recall(string flavour, ObjectPath path)
    {
        for (string prefix = path.Encoded; ; prefix = prefix[..prefix.LastIndexOf('/')])
        {
            if (_known.TryGetValue(flavour + prefix, out Known? known) && clock.GetElapsedTime(known.Asked) < GoodFor)
            {
                return known.Answer with { Servers = [.. known.Bases.Select(server => At(server, path))] };
            }

            if (prefix.Length <= 1)
            {
                return null;
            }
        }
    }

    private DirectorAnswer Remember(string flavour, ObjectPath path, DirectorAnswer answer)
    {
        List<Uri> bases = [.. answer.Servers.Select(server => BaseOf(server, path)).OfType<Uri>()];
        if (bases.Count != answer.Servers.Count)
        {
            return answer;
        }

        if (answer.Namespace.StartsWith('/') && ObjectPath.FromPlain(answer.Namespace) is var prefix && path.IsBelow(prefix))
        {
            Forget(_known, known => known.Asked);
            _known[flavour + prefix.Encoded] = new Known(answer, bases, clock.GetTimestamp());
        }

        return answer with { Servers = [.. bases.Select(server => At(server, path))] };
    }

    // When there are many, the older half goes.
    private static void Forget<T>(ConcurrentDictionary<string, T> table, Func<T, long> asked)
    {
        if (table.Count < MaxKnown)
        {
            return;
        }

        foreach ((string old, _) in table.ToArray().OrderBy(pair => asked(pair.Value)).Take(MaxKnown / 2))
        {
            table.TryRemove(old, out _);
        }
    }

    private static string Seen(Uri director, string @namespace) => $"{director.Authority} {@namespace}";

    private bool WasSeen(Uri director, ObjectPath path)
    {
        string start = $"{director.Authority} ";
        return _seen.Any(pair => pair.Key.StartsWith(start, StringComparison.Ordinal) && clock.GetElapsedTime(pair.Value) < SeenFor
            && path.IsBelow(ObjectPath.FromPlain(pair.Key[start.Length..])));
    }

    /// <summary>What is left of a server's URL without the object's path; null when it does not end with it.</summary>
    internal static Uri? BaseOf(Uri server, ObjectPath path)
    {
        string here;
        try
        {
            here = ObjectPath.FromEscaped(server.AbsolutePath).Encoded.TrimEnd('/');
        }
        catch (PelicanException)
        {
            // Not a path that a user could mean, so not this one; and not the user's fault.
            return null;
        }

        string tail = path.Encoded.TrimEnd('/');
        return here.EndsWith(tail, StringComparison.Ordinal)
            ? DirectorHeaders.Exact(server.GetLeftPart(UriPartial.Authority) + here[..^tail.Length] + "/" + server.Query)
            : null;
    }

    /// <summary>URL of an object below a base.</summary>
    internal static Uri At(Uri serverBase, ObjectPath path) =>
        DirectorHeaders.Exact(serverBase.GetLeftPart(UriPartial.Authority) + serverBase.AbsolutePath.TrimEnd('/') + path.Encoded + serverBase.Query)!;

    private async Task<DirectorAnswer> AskWithRetriesAsync(Uri director, DirectorQuestion question, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            PelicanException failure;
            try
            {
                return await AskOnceAsync(director, question, cancellationToken);
            }
            catch (PelicanException e) when (e.Retryable && attempt < settings.DirectorRetries)
            {
                failure = e;
            }

            await http.Retries.WaitAsync(attempt, failure, cancellationToken);
        }
    }

    private async Task<DirectorAnswer> AskOnceAsync(Uri director, DirectorQuestion question, CancellationToken cancellationToken)
    {
        Uri url = DirectorHeaders.Exact(director.GetLeftPart(UriPartial.Authority) + question.Url.Path.Encoded
            + (question.Query.Length == 0 ? "" : "?" + Escaped(question.Query)))!;
        try
        {
            using HttpResponseMessage response = await http.SendAsync(
                at => MakeRequest(at, question), url, question.Token, settings.ResponseHeaderTimeout, sender: null, mayHaveToken: null, cancellationToken);
            if (response.StatusCode != HttpStatusCode.TemporaryRedirect)
            {
                throw await RefusalAsync(response, director, question, cancellationToken);
            }

            DirectorAnswer answer = DirectorHeaders.Read(response);
            if (answer.Namespace.StartsWith('/'))
            {
                Forget(_seen, asked => asked);
                _seen[Seen(director, answer.Namespace)] = clock.GetTimestamp();
            }

            return answer.Servers.Count > 0 ? answer : throw new PelicanException(Errors.Director,
                $"the director {director.Authority} named no server for '{question.Url.Path}'");
        }
        catch (PelicanException e) when (e.Row == Errors.HeaderTimeout)
        {
            throw new PelicanException(Errors.DirectorTimeout, $"the director {director.Authority} did not answer in time", inner: e);
        }
        catch (PelicanException e) when (e.Row == Errors.ConnectionSetup || e.Row == Errors.ConnectionReset || e.Row == Errors.Protocol)
        {
            throw new PelicanException(Errors.Director, $"the director cannot be reached: {e.Message}",
                e.NextStep ?? "This is a fault of the federation or of the network, not of your request: try again later.", e)
            {
                Retryable = e.Retryable,
            };
        }
    }

    private static async Task<PelicanException> RefusalAsync(
        HttpResponseMessage response, Uri director, DirectorQuestion question, CancellationToken cancellationToken)
    {
        string text = WithoutRequest(await Faults.ReadTextAsync(response, cancellationToken));
        bool pelican = response.Headers.TryGetValues("Server", out IEnumerable<string>? server)
            && server.First().StartsWith("pelican/", StringComparison.OrdinalIgnoreCase);
        int status = (int)response.StatusCode;
        string said = $"the director {director.Authority} says HTTP status {status}" + (text.Length == 0 ? "" : $": {text}");
        ObjectPath path = question.Url.Path;
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound when pelican || text.Length > 0 => new PelicanException(Errors.NotFound,
                $"the federation has no '{path}': no such object, or no namespace for it ({said})",
                "Check the path, above all its first components: the namespace.")
            {
                IsOfDirector = true,
            },
            HttpStatusCode.MethodNotAllowed => new PelicanException(Errors.NotSupported, $"no origin of '{path}' permits {Doing(question)}",
                "Ask whoever runs the origin, or use another namespace."),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new PelicanException(Errors.Authorization, said),
            _ when status is >= 300 and < 400 => new PelicanException(Errors.Specification,
                $"the director {director.Authority} names no servers for '{path}', but another page (HTTP status {status}): it is in no namespace",
                "Name a namespace, or something in it."),
            _ when status is >= 400 and < 500 && status != 404 && !Faults.IsPassing(response.StatusCode) => new PelicanException(Errors.DirectorRefused, said),
            _ => new PelicanException(Errors.Director, said) { RetryAfter = Faults.RetryAfterOf(response) },
        };
    }

    private static string Doing(DirectorQuestion question) => question.Method.Method switch
    {
        "PUT" => "writing",
        "DELETE" => "deleting",
        "PROPFIND" => "listings",
        _ when question.Query.Split('&').Any(part => part.Split('=')[0] == "directread") => "direct reads",
        _ => "reading",
    };

    // It differs each time, so that the same sentence would be said once for each attempt.
    private static string WithoutRequest(string text) =>
        text.IndexOf("Request ID:", StringComparison.OrdinalIgnoreCase) is >= 0 and var at ? text[..at].TrimEnd(' ', '.', ';', ',', '(', '[') : text;

    private HttpRequestMessage MakeRequest(Uri url, DirectorQuestion question)
    {
        HttpRequestMessage request = new(question.Method, url);
        request.Headers.TryAddWithoutValidation("User-Agent", HttpStack.UserAgent);
        request.Options.Set(HttpStack.NoRedirect, true);
        if (settings.GeoLocation is { } place && place.Split(',') is [{ } latitude, { } longitude])
        {
            request.Headers.TryAddWithoutValidation("X-Pelican-Coordinate", $"lat={latitude.Trim()},long={longitude.Trim()}");
        }

        return request;
    }

    // What the user typed goes on as it is, but for what cannot stand in a request line.
    private static string Escaped(string query) => string.Concat(query.Select(c => c is > ' ' and < '\x7f' ? c.ToString() : Uri.EscapeDataString(c.ToString())));
}
