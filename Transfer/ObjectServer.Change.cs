using System.Net;
using System.Net.Http.Headers;

namespace Pelican.Transfer;

/// <summary>What is asked of a server with a PUT.</summary>
/// <param name="OnlyNew">Make it, replace nothing (<c>If-None-Match: *</c>, RFC 9110, 13.1.2).</param>
/// <param name="Announced">Ask before sending (<c>Expect: 100-continue</c>): never for an empty body (xrootd.md 6.3).</param>
internal sealed record PutTerms(bool OnlyNew, bool Announced);

/// <summary>What changes an object: PUT, DELETE, MKCOL.</summary>
internal sealed partial class ObjectServer
{
    private const int LongestName = 255;

    private static readonly HttpMethod Mkcol = new("MKCOL");
    private static readonly HttpMethod MoveMethod = new("MOVE");

    /// <summary>Whether it has answered as XRootD, which removes no collection that is not empty; others take all that is in it.</summary>
    public bool KeepsWhatIsFull => IsXrootd();

    /// <summary>
    /// Whether a PUT that may only make something replaces nothing, also where we may not look: Pelican's own origins heed
    /// <c>If-None-Match</c> (and name themselves <c>pelican/…</c> or not at all); XRootD does not, but protects what is there from a token that may create alone.
    /// Who refuses a look without a name may be a gateway in front of anything, unless the token says itself that it may not look.
    /// </summary>
    public bool KeepsWhatIsThere => IsXrootd() ? MayCreateOnly
        : _software?.StartsWith("pelican/", StringComparison.OrdinalIgnoreCase) == true || (_software?.Length == 0 && MayNotLook);

    /// <summary>Sends an object.</summary>
    /// <param name="content">Makes the bytes, with their length: anew for each sending, as after a redirect.</param>
    /// <param name="terms">What is asked of the server.</param>
    /// <param name="cancellationToken">Ends it. There is no limit for the answer: an origin may take its time to commit, and the content watches itself.</param>
    public Task<HttpResponseMessage> PutAsync(Func<HttpContent> content, PutTerms terms, CancellationToken cancellationToken)
    {
        bool refusable = terms.Announced && !IsXrootd();
        return SendAsync(HttpMethod.Put, request =>
        {
            request.Content = content();
            request.Headers.ExpectContinue = terms.Announced;
            if (terms.OnlyNew)
            {
                request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
                // XRootD 6.2 heeds this, and older ones neither.
                request.Headers.TryAddWithoutValidation("Overwrite", "F");
            }
        }, Timeout.InfiniteTimeSpan, refusable ? http.Refusable : null, cancellationToken);
    }

    /// <summary>The error of a PUT that was refused: nothing of it is there, unless the disk is full.</summary>
    public async Task<PelicanException> PutRefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.PreconditionFailed && response.RequestMessage?.Headers.IfNoneMatch.Count > 0)
        {
            return ExistsAlready();
        }

        if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.MethodNotAllowed or HttpStatusCode.InternalServerError))
        {
            return await RefusalAsync(response, cancellationToken);
        }

        if (await InTheWayAsync(cancellationToken) is { } inTheWay)
        {
            return inTheWay;
        }

        string? longest = path.Decoded.Split('/').MaxBy(System.Text.Encoding.UTF8.GetByteCount);
        if (longest is not null && System.Text.Encoding.UTF8.GetByteCount(longest) is > LongestName and var bytes)
        {
            return new PelicanException(Errors.Specification,
                $"cannot upload '{path}' to {Name}: the name '{longest}' has {bytes} bytes, and file systems take {LongestName}", "Choose a shorter name.");
        }

        PelicanException refusal = await RefusalAsync(response, cancellationToken);
        return refusal.Row == Errors.NotFound
            ? new PelicanException(Errors.Specification, $"cannot upload '{path}' to {Name}: the server refuses it with HTTP status 404",
                "Check the path: whether its collection is there, and may be written to.")
            : refusal;
    }

    /// <summary>That it is there, and may not be replaced.</summary>
    public PelicanException ExistsAlready(string whose = "made by somebody else") => new(Errors.AlreadyExists,
        $"'{path}' exists at {Name} by now, {whose}; it was not replaced", "Choose another name, or replace it with --overwrite.");

    /// <summary>Removes the object or empty collection. Who has only accepted the request (RFC 9110, 15.3.3) is asked again.</summary>
    /// <returns>False when nothing was there.</returns>
    public async Task<bool> DeleteAsync(CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, bool first) = await AskAsync(HttpMethod.Delete, _ => { }, cancellationToken);
        using HttpResponseMessage response = answer;
        return response.StatusCode switch
        {
            HttpStatusCode.OK or HttpStatusCode.NoContent => true,
            HttpStatusCode.Accepted => await StatAsync(cancellationToken) is null ? true : throw new PelicanException(Errors.Transfer,
                $"cannot delete '{path}' at {Name}: the server has accepted the request and not carried it out yet",
                "Look in a while whether it is gone: 'pelican object ls'."),
            // The one before may have removed it, and its answer been lost.
            HttpStatusCode.NotFound => !first || (await InTheWayAsync(cancellationToken) is { } inTheWay ? throw inTheWay : false),
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    /// <summary>Gives it another name at the same server, where nothing is.</summary>
    /// <returns>False when nothing was there; null when the server offers no such thing.</returns>
    public async Task<bool?> TryMoveAsync(Uri destination, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(MoveMethod, request =>
        {
            request.Headers.TryAddWithoutValidation("Destination", destination.AbsoluteUri);
            request.Headers.TryAddWithoutValidation("Overwrite", "F");
        }, settings.ResponseHeaderTimeout, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented or HttpStatusCode.BadRequest => null,
            // A token for this path need not cover the name beside it.
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => null,
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    /// <summary>Makes a collection. Servers differ in what they say when it is there already (xrootd.md 7.2).</summary>
    public async Task MakeCollectionAsync(CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, bool first) = await AskAsync(Mkcol, _ => { }, cancellationToken);
        using HttpResponseMessage response = answer;
        // The one before may have made it, and its answer been lost.
        bool made = response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent
            || (!first && response.StatusCode == HttpStatusCode.MethodNotAllowed);
        if (!made)
        {
            throw await RefusalAsync(response, cancellationToken);
        }
    }
}
