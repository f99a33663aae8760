using System.Net;
using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>Where an object is and what goes with the requests for it.</summary>
/// <param name="Answer">What the director, or the origin that answers for itself, said.</param>
/// <param name="Servers">The object at its servers, best first.</param>
/// <param name="Tokens">Where a token was looked for; null when none is wanted.</param>
/// <param name="FromMemory">Whether the answer was given for another object of the namespace.</param>
internal sealed record Resolution(DirectorAnswer Answer, IReadOnlyList<ObjectServer> Servers, TokenSearch? Tokens, bool FromMemory);

/// <summary>What is to be resolved.</summary>
/// <param name="Method">What the director is asked for: GET to read, PROPFIND to look or list, PUT or DELETE.</param>
/// <param name="Url">The object.</param>
/// <param name="Options">Token, caches, direct reads.</param>
/// <param name="Purposes">What a token must permit.</param>
internal sealed record ResolutionRequest(HttpMethod Method, ObjectUrl Url, TransferOptions Options, IReadOnlyList<TokenPurpose> Purposes)
{
    /// <summary>Whether nothing is to be changed.</summary>
    public bool Reads => Method == HttpMethod.Get || Method == HttpStack.Propfind;

    /// <summary>Whether to look for a token though nobody said that one is needed.</summary>
    public bool WithToken { get; init; }

    /// <summary>Whether to ask the director even if its answer is known.</summary>
    public bool Afresh { get; init; }
}

/// <summary>From an object's URL to its servers: discovery, director, token, the user's own choice of caches.</summary>
internal sealed partial class Resolver(
    HttpStack http, Discovery discovery, Director director, TokenFinder tokens, ClientSettings settings, ILogger<Resolver> log)
{
    /// <summary>Resolves one object.</summary>
    /// <exception cref="PelicanException">Rows of discovery, director and token.</exception>
    public async Task<Resolution> ResolveAsync(ResolutionRequest request, CancellationToken cancellationToken)
    {
        (IReadOnlyList<Uri> preferred, bool thenDirector) = Preferred(request);
        (DirectorAnswer answer, bool fromMemory) = await AnswerAsync(request, preferred.Count > 0, cancellationToken);
        TokenSearch? found = null;
        if (answer.RequireToken || request.WithToken || !request.Reads)
        {
            found = tokens.Find(new TokenRequest(request.Options.TokenFile, request.Url.TokenName, request.Url.Path, answer, request.Purposes)
            {
                IsRenewed = request.Options.TokenIsRenewed,
            });
            if (found.Token is null && answer.RequireToken && request.Reads)
            {
                throw found.NotFound(request.Url.Path);
            }

            if (found.Token is not null && request.Method != HttpMethod.Delete)
            {
                answer = await WithTokenAsync(request, answer, found, cancellationToken);
                found = found.With(answer);
            }
        }

        IEnumerable<Uri> urls = preferred.Select(server => Director.At(server, request.Url.Path));
        if (thenDirector)
        {
            urls = urls.Concat(answer.Servers.Where(server => preferred.All(p => p.Authority != server.Authority)));
        }

        ObjectServer[] servers = [.. urls.Select(url => Server(url, request.Url.Path, found))];
        Log.Resolved(log, request.Url.Path, answer.Namespace, servers);
        return new Resolution(answer, servers, found, fromMemory);
    }

    /// <summary>The object at one server, with the token that goes there.</summary>
    public ObjectServer Server(Uri url, ObjectPath path, TokenSearch? found)
    {
        // A token never goes in clear: a server that a director named so must take it over TLS.
        Uri at = found?.Token is not null && url.Scheme == "http"
            ? DirectorHeaders.Exact(string.Concat("https", url.OriginalString.AsSpan("http".Length))) ?? url
            : url;
        return new ObjectServer(http, settings, at, path, found);
    }

    private async Task<(DirectorAnswer Answer, bool FromMemory)> AnswerAsync(ResolutionRequest request, bool canDoWithout, CancellationToken cancellationToken)
    {
        try
        {
            Federation federation = await discovery.FindAsync(request.Url.Federation, cancellationToken);
            return federation.Director is null
                ? (await StandaloneAsync(federation, request, cancellationToken), false)
                : await AskAsync(federation, request, null, cancellationToken);
        }
        catch (PelicanException e) when (canDoWithout && e.Row != Errors.Parameter)
        {
            Log.OnlyPreferred(log, e.Message);
            return (new DirectorAnswer { Servers = [] }, false);
        }
    }

    private async Task<(DirectorAnswer, bool)> AskAsync(
        Federation federation, ResolutionRequest request, string? token, CancellationToken cancellationToken)
    {
        DirectorQuestion question = new(request.Method, request.Url, request.Options.DirectRead && request.Method == HttpMethod.Get, token);
        try
        {
            return await director.AskAsync(federation, question, request.Afresh, cancellationToken);
        }
        catch (PelicanException e) when ((request.Method == HttpMethod.Delete || request.Method == HttpStack.Propfind)
            && (e.Row == Errors.NotFound || e.Row == Errors.NotSupported || e.Row == Errors.DirectorRefused))
        {
            // Directors before 7.12 know no DELETE; whoever may write there may delete there. Where listings are not offered an
            // object can be looked at all the same.
            HttpMethod other = request.Method == HttpMethod.Delete ? HttpMethod.Put : HttpMethod.Get;
            return await director.AskAsync(federation, question with { Method = other }, request.Afresh, cancellationToken);
        }
    }

    // The director may know better with the token in hand; where it does not answer, its first answer stands.
    private async Task<DirectorAnswer> WithTokenAsync(
        ResolutionRequest request, DirectorAnswer first, TokenSearch found, CancellationToken cancellationToken)
    {
        Federation federation = await discovery.FindAsync(request.Url.Federation, cancellationToken);
        if (federation.Director is null || federation.Director.Scheme != "https")
        {
            return first;
        }

        try
        {
            return (await AskAsync(federation, request, found.Token!.Value, cancellationToken)).Item1;
        }
        catch (PelicanException e) when (e.Row == Errors.Authorization)
        {
            throw found.Refused(request.Url.Path, federation.Director.Authority, null);
        }
        catch (PelicanException e)
        {
            Log.SecondQuestionFailed(log, e.Message);
            return first;
        }
    }

    // No director: the discovery host serves the objects, and says in headers what a director would (federation-protocol 2.11).
    private async Task<DirectorAnswer> StandaloneAsync(Federation federation, ResolutionRequest request, CancellationToken cancellationToken)
    {
        Uri url = Director.At(federation.Discovery, request.Url.Path);
        using HttpResponseMessage response = await http.SendAsync(at =>
        {
            HttpRequestMessage head = new(HttpMethod.Head, at);
            head.Headers.TryAddWithoutValidation("User-Agent", HttpStack.UserAgent);
            return head;
        }, url, token: null, settings.ResponseHeaderTimeout, sender: null, mayHaveToken: null, cancellationToken);
        DirectorAnswer said = DirectorHeaders.HasNamespace(response) ? DirectorHeaders.Read(response) : new DirectorAnswer { Servers = [] };
        bool refused = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
        return said with
        {
            Servers = [url],
            CollectionsUrl = said.CollectionsUrl ?? federation.Discovery,
            RequireToken = said.RequireToken || refused,
        };
    }

    // "+" as the last item stands for the director's servers; without it only the preferred ones are used.
    private (IReadOnlyList<Uri> Servers, bool ThenDirector) Preferred(ResolutionRequest request)
    {
        IReadOnlyList<string> items = request.Reads ? request.Options.Caches ?? settings.PreferredCaches : [];
        List<Uri> servers = [];
        for (int i = 0; i < items.Count; i++)
        {
            string item = items[i].Trim();
            if (item == "+" && i == items.Count - 1)
            {
                return (servers, true);
            }

            string text = item.Contains("://", StringComparison.Ordinal) ? item : "https://" + item;
            servers.Add(item.Length > 0 && item != "+" && DirectorHeaders.Exact(text) is { } url
                ? url
                : throw new PelicanException(Errors.Parameter,
                    item == "+" ? "the '+' must be the last of the preferred caches" : $"'{item}' is not a cache",
                    "Name caches as https://<host>[:<port>], separated by commas; a last '+' stands for the director's choice."));
        }

        return (servers, servers.Count == 0);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Path} is in namespace '{Namespace}', at {Servers}")]
        public static partial void Resolved(ILogger logger, ObjectPath path, string @namespace, IEnumerable<ObjectServer> servers);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Using the preferred caches alone: {Reason}")]
        public static partial void OnlyPreferred(ILogger logger, string reason);

        [LoggerMessage(Level = LogLevel.Debug, Message = "The director's first answer is used: {Reason}")]
        public static partial void SecondQuestionFailed(ILogger logger, string reason);
    }
}
