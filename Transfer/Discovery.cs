using System.Collections.Concurrent;
using System.Net;
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

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan BadFor = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Entry> _known = new(StringComparer.OrdinalIgnoreCase);

    private sealed record Entry(Task<Federation> Answer, DateTimeOffset Asked);

    /// <summary>The federation behind a discovery URL.</summary>
    /// <exception cref="PelicanException">Rows <c>Resolution…</c>, or <see cref="Errors.Certificate"/>.</exception>
    public async Task<Federation> FindAsync(Uri discovery, CancellationToken cancellationToken)
    {
        string key = discovery.AbsoluteUri;
        DateTimeOffset now = clock.GetUtcNow();
        // The question is shared: it must not end because the first of those who ask it does. Its own limits bound it.
        Entry entry = _known.GetOrAdd(key, _ => new Entry(AskAsync(discovery, CancellationToken.None), now));
        if (now - entry.Asked >= (entry.Answer.IsFaulted ? BadFor : GoodFor))
        {
            _known[key] = entry = new Entry(AskAsync(discovery, CancellationToken.None), now);
        }

        return await entry.Answer.WaitAsync(cancellationToken);
    }

    private async Task<Federation> AskAsync(Uri discovery, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await AskOnceAsync(discovery, cancellationToken);
            }
            catch (PelicanException e) when (e.Row == Errors.ResolutionTimeout && attempt < Tries)
            {
                await Task.Delay(Pause, clock, cancellationToken);
            }
        }
    }

    private async Task<Federation> AskOnceAsync(Uri discovery, CancellationToken cancellationToken)
    {
        Uri url = new(discovery, WellKnown);
        try
        {
            using HttpResponseMessage response = await http.SendAsync(MakeRequest, url, token: null, settings.ResponseHeaderTimeout, sender: null, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                string text = await Faults.ReadTextAsync(response, cancellationToken);
                bool ours = (int)response.StatusCode is >= 400 and < 500;
                throw new PelicanException(ours ? Errors.Resolution : Errors.ResolutionConnection,
                    $"{discovery.Authority} does not answer as a Pelican federation: HTTP status {(int)response.StatusCode} for {url}"
                    + (text.Length == 0 ? "" : $": {text}"),
                    "Check the host in the URL; it must be the federation's discovery host, not a cache or origin.");
            }

            await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
            byte[] document = new byte[MaxDocument];
            int length = await body.ReadAtLeastAsync(document, document.Length, throwOnEndOfStream: false, cancellationToken);
            return Parse(discovery, document.AsMemory(0, length));
        }
        catch (PelicanException e) when (e.Row == Errors.HeaderTimeout)
        {
            throw new PelicanException(Errors.ResolutionTimeout, $"the federation {discovery.Authority} cannot be found: {e.Message}", inner: e);
        }
        catch (PelicanException e) when (e.Row == Errors.ConnectionSetup || e.Row == Errors.ConnectionReset || e.Row == Errors.Protocol)
        {
            throw new PelicanException(Errors.ResolutionConnection, $"the federation {discovery.Authority} cannot be reached: {e.Message}",
                "Check the host in the URL and the network.", e);
        }
        catch (Exception e) when (Faults.IsTransport(e))
        {
            throw new PelicanException(Errors.ResolutionConnection, Faults.FromTransport(e, discovery.Authority, bodyStarted: true).Message, inner: e);
        }
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
                $"{discovery.Authority} does not answer as a Pelican federation: its discovery document cannot be read ({e.Message})", inner: e);
        }
    }
}
