using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Pelican.Transfer;

/// <summary>A federation as its discovery document describes it.</summary>
/// <param name="Discovery">Base URL that was asked.</param>
/// <param name="Director">Base URL of the director; null where the discovery host serves the objects itself.</param>
internal sealed record Federation(Uri Discovery, Uri? Director);

/// <summary>Finds a federation's director (federation-protocol 1.6, 1.7), once for the whole process.</summary>
internal sealed class Discovery(HttpStack http, ClientSettings settings, TimeProvider clock)
{
    private const string WellKnown = "/.well-known/pelican-configuration";
    private const int Tries = 3;
    private const int MaxDocument = 256 * 1024;

    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(30);

    /// <summary>A queue of jobs must not be failed by one bad moment, nor ask hundreds of times in it.</summary>
    private static readonly TimeSpan BadFor = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _known = new(StringComparer.OrdinalIgnoreCase);

    private sealed class Entry(Task<Federation> answer)
    {
        private long _ended;

        public Task<Federation> Answer => answer;

        public void End(long now) => Volatile.Write(ref _ended, now);

        public bool IsGood(TimeProvider clock) => !answer.IsCompleted
            || clock.GetElapsedTime(Volatile.Read(ref _ended)) < (answer.IsCompletedSuccessfully ? GoodFor : BadFor);
    }

    /// <summary>The federation behind a discovery URL.</summary>
    /// <exception cref="PelicanException">Rows <c>Resolution…</c>, or <see cref="Errors.Certificate"/>.</exception>
    public Task<Federation> FindAsync(Uri discovery, CancellationToken cancellationToken)
    {
        string key = discovery.AbsoluteUri;
        lock (_lock)
        {
            if (!_known.TryGetValue(key, out Entry? entry) || !entry.IsGood(clock))
            {
                // The question is shared: it must not end because the first of those who ask it does. Its own limits bound it.
                TaskCompletionSource<Federation> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _known[key] = entry = new Entry(answer.Task);
                _ = AnswerAsync(discovery, answer, entry);
            }

            return entry.Answer.WaitAsync(cancellationToken);
        }
    }

    private async Task AnswerAsync(Uri discovery, TaskCompletionSource<Federation> answer, Entry entry)
    {
        try
        {
            Federation found = await AskAsync(discovery, CancellationToken.None);
            entry.End(clock.GetTimestamp());
            answer.SetResult(found);
        }
        catch (Exception e)
        {
            entry.End(clock.GetTimestamp());
            answer.SetException(e);
            // Whoever asked may have left.
            _ = answer.Task.Exception;
        }
    }

    private async Task<Federation> AskAsync(Uri discovery, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            PelicanException failure;
            try
            {
                return await AskOnceAsync(discovery, cancellationToken);
            }
            catch (PelicanException e) when (e.Retryable && attempt < Tries)
            {
                failure = e;
            }

            await http.Retries.WaitAsync(attempt, failure, cancellationToken);
        }
    }

    private async Task<Federation> AskOnceAsync(Uri discovery, CancellationToken cancellationToken)
    {
        Uri url = new(discovery, WellKnown);
        using CancellationTokenSource limit = new(settings.ResponseHeaderTimeout * 2, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using HttpResponseMessage response = await http.SendAsync(MakeRequest, url, token: null, settings.ResponseHeaderTimeout, sender: null, mayHaveToken: null, either.Token);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw await RefusalAsync(response, discovery, url, either.Token);
            }

            await using Stream body = await response.Content.ReadAsStreamAsync(either.Token);
            byte[] document = new byte[MaxDocument];
            int length = await body.ReadAtLeastAsync(document, document.Length, throwOnEndOfStream: false, either.Token);
            return Parse(discovery, document.AsMemory(0, length));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PelicanException(Errors.ResolutionTimeout,
                $"the federation {discovery.Authority} cannot be found: it did not send its description within {settings.ResponseHeaderTimeout.TotalSeconds * 2:0.#} s", inner: e);
        }
        catch (PelicanException e) when (e.Row == Errors.HeaderTimeout)
        {
            throw new PelicanException(Errors.ResolutionTimeout, $"the federation {discovery.Authority} cannot be found: {e.Message}", inner: e);
        }
        catch (PelicanException e) when (e.Row == Errors.ConnectionSetup || e.Row == Errors.ConnectionReset || e.Row == Errors.Protocol)
        {
            // There is no such host: that is no matter of time.
            bool unknown = Faults.SocketErrorOf(e) is SocketError.HostNotFound or SocketError.NoData;
            throw new PelicanException(unknown ? Errors.Resolution : Errors.ResolutionConnection,
                $"the federation {discovery.Authority} cannot be reached: {e.Message}", e.NextStep ?? "Check the host in the URL and the network.", e)
            {
                Retryable = !unknown && e.Retryable,
            };
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            throw new PelicanException(Errors.ResolutionConnection, Faults.FromTransport(e, discovery.Authority, bodyStarted: true).Message, inner: e);
        }
    }

    private static async Task<PelicanException> RefusalAsync(HttpResponseMessage response, Uri discovery, Uri url, CancellationToken cancellationToken)
    {
        string text = await Faults.ReadTextAsync(response, cancellationToken);
        string said = $"HTTP status {(int)response.StatusCode} for {url}" + (text.Length == 0 ? "" : $": {text}");
        return Faults.IsPassing(response.StatusCode)
            ? new PelicanException(Errors.ResolutionConnection, $"the federation {discovery.Authority} cannot tell its director now: {said}",
                "Try again later.")
            {
                RetryAfter = Faults.RetryAfterOf(response),
            }
            : new PelicanException(Errors.Resolution, $"{discovery.Authority} does not answer as a Pelican federation: {said}",
                "Check the host in the URL; it must be the federation's discovery host, not a cache or origin.");
    }

    private static HttpRequestMessage MakeRequest(Uri url)
    {
        HttpRequestMessage request = new(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("User-Agent", HttpStack.UserAgent);
        return request;
    }

    internal static Federation Parse(Uri discovery, ReadOnlyMemory<byte> document)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(document);
            string director = json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("director_endpoint", out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : "";
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException("it is not an object");
            }

            if (director.Length == 0)
            {
                return new Federation(discovery, null);
            }

            string withScheme = director.Contains("://", StringComparison.Ordinal) ? director : "https://" + director;
            return DirectorHeaders.Exact(withScheme) is { } url
                ? new Federation(discovery, url)
                : throw new PelicanException(Errors.Resolution, $"{discovery.Authority} names a director that is no URL: '{Faults.Clean(director)}'");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for a string that is no text: half a surrogate pair.
            throw new PelicanException(Errors.Resolution,
                $"{discovery.Authority} does not answer as a Pelican federation: its discovery document cannot be read ({Faults.Clean(e.Message)})", inner: e);
        }
    }
}
