using System.Net;

namespace Pelican.Transfer;

/// <summary>What changes an object: PUT, DELETE, MKCOL.</summary>
internal sealed partial class ObjectServer
{
    private static readonly HttpMethod Mkcol = new("MKCOL");
    private static readonly HttpMethod MoveMethod = new("MOVE");

    /// <summary>Whether it has answered as XRootD, which removes no collection that is not empty; others take all that is in it.</summary>
    public bool KeepsWhatIsFull => IsXrootd();

    /// <summary>Sends an object.</summary>
    /// <param name="content">The bytes, with their length.</param>
    /// <param name="expect">Ask before sending (<c>Expect: 100-continue</c>): never for an empty body (xrootd.md 6.3).</param>
    /// <param name="limit">Longest wait from the request to the answer's head; the content watches itself.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <remarks>The content can be sent once: a redirect is not followed unless the server was asked first.</remarks>
    public Task<HttpResponseMessage> PutAsync(Func<HttpContent> content, bool expect, TimeSpan limit, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, request =>
        {
            request.Content = content();
            request.Headers.ExpectContinue = expect;
        }, limit, cancellationToken);

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
            _ => throw await RefusalAsync(response, cancellationToken),
        };
    }

    /// <summary>Makes a collection. Servers differ in what they say when it is there already (xrootd.md 7.2).</summary>
    public async Task MakeCollectionAsync(CancellationToken cancellationToken)
    {
        (HttpResponseMessage answer, _) = await AskAsync(Mkcol, _ => { }, cancellationToken);
        using HttpResponseMessage response = answer;
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.NoContent))
        {
            throw await RefusalAsync(response, cancellationToken);
        }
    }
}
