using System.Net;
using System.Net.Http.Headers;
using System.Xml;

namespace Pelican.Transfer;

/// <summary>What is there: stat and listings.</summary>
internal sealed partial class ObjectServer
{
    private static readonly byte[] Wanted = [.. """
        <?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>
        """u8];

    /// <summary>Asks what is there (PROPFIND, depth 0; HEAD where there is no WebDAV).</summary>
    /// <returns>Null when nothing is there.</returns>
    public async Task<ObjectInfo?> StatAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await PropfindAsync("0", cancellationToken);
        switch (response.StatusCode)
        {
            case HttpStatusCode.MultiStatus:
                await foreach ((ObjectInfo info, bool isSelf) in EntriesAsync(response, cancellationToken))
                {
                    if (isSelf)
                    {
                        return info.Size is null ? info with { Size = await HeadSizeAsync(cancellationToken) } : info;
                    }
                }

                throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked for '{path}'");
            case HttpStatusCode.NotFound:
                return null;
            case HttpStatusCode.Conflict when IsXrootd() && await IsConflictAsync(cancellationToken):
                // A cache in front of an HTTP origin, asked for a collection (xrootd.md 12.1.5). Locks and gateways conflict in other ways.
                return new ObjectInfo(path.Decoded, 0, null, IsCollection: true);
            case HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented:
                // Pelican's origins say so of what is below an object, others where there is no WebDAV.
                return await HeadStatAsync(cancellationToken)
                    ?? (await InTheWayAsync(cancellationToken) is { } inTheWay ? throw inTheWay : null);
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
            throw await InTheWayAsync(cancellationToken) ?? new PelicanException(Errors.NotSupported, $"{Name} does not offer listings of '{path}'",
                "Ask for an object by its full name; 'object stat' and 'object get' work without listings.");
        }

        if (response.StatusCode != HttpStatusCode.MultiStatus)
        {
            // 404 to this question never means that an object is in the way, and an upload of a tree asks it of what it is about to make.
            throw response.StatusCode == HttpStatusCode.NotFound
                ? await Faults.FromStatusAsync(response, path, Name, cancellationToken)
                : await RefusalAsync(response, cancellationToken);
        }

        List<ObjectInfo> children = [];
        HashSet<ObjectInfo> seen = [];
        ObjectInfo? self = null;
        await foreach ((ObjectInfo info, bool isSelf) in EntriesAsync(response, cancellationToken))
        {
            if (isSelf)
            {
                self ??= info;
            }
            else if (seen.Add(info) || info.Path.Contains('\uFFFD', StringComparison.Ordinal))
            {
                // What is listed twice in the same words is there once; two names of other bytes may read alike.
                children.Add(info);
            }
        }

        if (self is null && children.Count == 0)
        {
            // An empty collection shows itself: this may be what is left of a listing.
            throw new PelicanException(Errors.Protocol, $"{Name} describes nothing when asked to list '{path}'");
        }

        if (self is { IsKindTold: false } && children.Count == 0)
        {
            throw self.KindUnknown(Name);
        }

        return self is { IsCollection: false } && children.Count == 0 ? [self] : children;
    }

    // Of what PROPFIND has shown to be there, so that any definite answer will do.
    private async Task<long?> HeadSizeAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = (await AskAsync(HttpMethod.Head, _ => { }, cancellationToken)).Response;
        return response.StatusCode == HttpStatusCode.OK ? ObjectLength.Of(response) : null;
    }

    private async Task<bool> IsConflictAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = (await AskAsync(HttpMethod.Head, _ => { }, cancellationToken)).Response;
        return response.StatusCode == HttpStatusCode.Conflict;
    }

    private async Task<ObjectInfo?> HeadStatAsync(CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, _) = await AskAsync(HttpMethod.Head, _ => { }, cancellationToken);
        using HttpResponseMessage response = answer;
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new ObjectInfo(path.Decoded, ObjectLength.Of(response),
                HttpDate.LastModified(response),
                // Servers of files lead from a collection's name to the same with a slash.
                IsCollection: response.RequestMessage?.RequestUri?.AbsolutePath is ['/', .., '/'] && !url.AbsolutePath.EndsWith('/'))
            {
                // XRootD answers for a collection as for an object.
                IsKindTold = !IsXrootd(),
            },
            HttpStatusCode.NotFound => null,
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    private async Task<HttpResponseMessage> PropfindAsync(string depth, CancellationToken cancellationToken) =>
        (await AskAsync(HttpStack.Propfind, request => Describe(request, depth), cancellationToken)).Response;

    private Task<HttpResponseMessage> PropfindOnceAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpStack.Propfind, request => Describe(request, "0"), settings.ResponseHeaderTimeout, cancellationToken);

    // Without the names Pelican's origins send all properties, with locks; XRootD reads a body and does not obey it (xrootd.md 8).
    private static void Describe(HttpRequestMessage request, string depth)
    {
        request.Headers.TryAddWithoutValidation("Depth", depth);
        request.Content = new ByteArrayContent(Wanted);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml", "utf-8");
    }

    private async IAsyncEnumerable<(ObjectInfo Info, bool IsSelf)> EntriesAsync(
        HttpResponseMessage response, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // XRootD writes names as they are, others escape them (xrootd.md 8.4).
        ListingNames names = new([response.RequestMessage?.RequestUri?.AbsolutePath ?? "", url.AbsolutePath, path.Encoded], literal: IsXrootd());
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using CancellationTokenSource silence = new(settings.StoppedTransferTimeout, http.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        await using IAsyncEnumerator<MultistatusEntry> entries = Multistatus.ReadAsync(body, either.Token).GetAsyncEnumerator(either.Token);
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
                throw new PelicanException(Errors.Protocol, $"the listing of '{path}' from {Name} cannot be read: {Why(e)}", inner: e);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new PelicanException(Errors.Stopped, $"the listing of '{path}' from {Name} fell silent");
            }

            MultistatusEntry entry = entries.Current;
            if (!names.TryRead(entry.Href, out string? name))
            {
                throw new PelicanException(Errors.Protocol, $"{Name} lists '{Faults.Clean(entry.Href)}', which is not in '{path}'",
                    "Do not trust this server; tell the federation's operators.")
                {
                    Retryable = false,
                };
            }

            string at = name is null ? path.Decoded : path == ObjectPath.Root ? "/" + name : path.Decoded + "/" + name;
            yield return (new ObjectInfo(at, entry.IsCollection ? 0 : entry.Size, entry.Modified, entry.IsCollection) { ETag = entry.ETag, IsKindTold = entry.IsKindTold }, name is null);
        }
    }

    // The reader's own words are for programmers; its place is what helps.
    private static string Why(Exception e) => e switch
    {
        MultistatusFault => Faults.Clean(e.Message),
        XmlException { LineNumber: > 0 } xml => $"it is no XML as a listing has it, or ends early (line {xml.LineNumber}, position {xml.LinePosition})",
        XmlException => "it is no XML as a listing has it",
        _ => Faults.Clean(e.Message),
    };
}
