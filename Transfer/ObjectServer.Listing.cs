using System.Net;
using System.Xml;

namespace Pelican.Transfer;

/// <summary>What is there: stat and listings.</summary>
internal sealed partial class ObjectServer
{
    /// <summary>In an entry of a listing whose server names no size.</summary>
    private const long UnknownSize = -1;

    private static readonly HttpMethod Propfind = new("PROPFIND");
    /// <summary>Asks what is there (PROPFIND, depth 0; HEAD where there is no WebDAV).</summary>
    /// <returns>Null when nothing is there.</returns>
    public async Task<ObjectInfo?> StatAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await PropfindAsync("0", cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.MultiStatus:
                await foreach (ObjectInfo info in EntriesAsync(response, cancellationToken))
                {
                    return info.Size < 0 ? info with { Size = (await HeadStatAsync(cancellationToken))?.Size ?? 0 } : info;
                }

                throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked for '{path}'");
            case HttpStatusCode.NotFound:
                return null;
            case HttpStatusCode.Conflict:
                // A cache in front of an HTTP origin, asked for a collection (xrootd.md 12.1.5).
                return new ObjectInfo(path.Decoded, 0, null, IsCollection: true);
            case HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented:
                return await HeadStatAsync(cancellationToken);
            default:
                throw await RefusalAsync(response, cancellationToken);
        }
    }

    /// <summary>Lists a collection (PROPFIND, depth 1); an object lists as itself.</summary>
    /// <exception cref="PelicanException">Among others <see cref="Errors.Protocol"/>: the listing is cut, malformed or hostile.</exception>
    public async Task<IReadOnlyList<ObjectInfo>> ListAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await PropfindAsync("1", cancellationToken);
        if (response.StatusCode is HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
        {
            throw new PelicanException(Errors.NotSupported, $"{Name} does not offer listings of '{path}'",
                "Ask for an object by its full name; 'object stat' and 'object get' work without listings.");
        }

        if (response.StatusCode != HttpStatusCode.MultiStatus)
        {
            throw await RefusalAsync(response, cancellationToken);
        }

        List<ObjectInfo> children = [];
        ObjectInfo? self = null;
        await foreach (ObjectInfo info in EntriesAsync(response, cancellationToken))
        {
            if (self is null && info.Path == path.Decoded)
            {
                self = info;
            }
            else
            {
                children.Add(info);
            }
        }

        if (self is null && children.Count == 0)
        {
            // An empty collection shows itself: this may be what is left of a listing.
            throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked to list '{path}'");
        }

        IEnumerable<ObjectInfo> shown = self is { IsCollection: false } && children.Count == 0 ? [self] : children;
        return [.. shown.Select(info => info.Size == UnknownSize ? info with { Size = 0 } : info)];
    }

    private async Task<ObjectInfo?> HeadStatAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await HeadAsync(cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new ObjectInfo(path.Decoded, response.Content.Headers.ContentLength ?? 0,
                response.Content.Headers.LastModified, IsCollection: false),
            HttpStatusCode.NotFound => null,
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    private Task<HttpResponseMessage> PropfindAsync(string depth, CancellationToken cancellationToken) =>
        SendAsync(Propfind, request => request.Headers.TryAddWithoutValidation("Depth", depth), settings.ResponseHeaderTimeout, cancellationToken);

    private async IAsyncEnumerable<ObjectInfo> EntriesAsync(
        HttpResponseMessage response, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // XRootD writes names as they are, others escape them (xrootd.md 8.4).
        bool literal = IsXrootd();
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using CancellationTokenSource silence = new(settings.StoppedTransferTimeout, http.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        await using IAsyncEnumerator<MultistatusEntry> entries = Multistatus.ReadAsync(body, either.Token).GetAsyncEnumerator(either.Token);
        bool first = true;
        while (true)
        {
            try
            {
                silence.CancelAfter(settings.StoppedTransferTimeout);
                if (!await entries.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (Exception e) when (e is XmlException || Faults.IsTransport(e))
            {
                throw new PelicanException(Errors.Protocol, $"the listing of '{path}' from {Name} cannot be read: {Faults.Clean(e.Message)}", inner: e);
            }

            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new PelicanException(Errors.Stopped, $"the listing of '{path}' from {Name} fell silent");
            }

            MultistatusEntry entry = entries.Current;
            string? name = ChildName(entry.Href, literal, first);
            first = false;
            string at = name is null ? path.Decoded : path == ObjectPath.Root ? "/" + name : path.Decoded + "/" + name;
            yield return new ObjectInfo(at, entry.IsCollection ? 0 : entry.Size ?? UnknownSize, entry.Modified, entry.IsCollection) { ETag = entry.ETag };
        }
    }

    /// <summary>The name of a child of this path; null for the path itself. Anything else a server names is refused.</summary>
    private string? ChildName(string href, bool literal, bool first)
    {
        string parent = ObjectPath.FromEscaped(url.AbsolutePath).Decoded.TrimEnd('/');
        // The first response repeats the request as it was sent, escapes and all.
        if (first && (SamePath(Uri.UnescapeDataString(href), parent) || SamePath(href, parent)))
        {
            return null;
        }

        string plain = literal ? href : Uri.UnescapeDataString(href);
        if (SamePath(plain, parent))
        {
            return null;
        }

        string name = plain.TrimEnd('/');
        bool child = name.StartsWith(parent + "/", StringComparison.Ordinal);
        name = child ? name[(parent.Length + 1)..] : name;
        return child && name.Length > 0 && name is not ("." or "..") && name.IndexOfAny(['/', '\0']) < 0
            ? name
            : throw new PelicanException(Errors.Protocol,
                $"{Name} lists '{Faults.Clean(plain)}', which is not in '{path}'", "Do not trust this server; tell the federation's operators.");
    }

    private static bool SamePath(string href, string parent) => href.TrimEnd('/') == parent;
}
