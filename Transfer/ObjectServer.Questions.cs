using System.Net;

namespace Pelican.Transfer;

/// <summary>Questions that may be asked again, and what stands in the way of an object.</summary>
internal sealed partial class ObjectServer
{
    private const int Tries = 3;

    /// <summary>
    /// Sends what may be sent twice, and again after a bad moment of the server (500, 502, 503, 504, 429, 408, a connection that broke):
    /// the one place for looks, listings and removals of every verb.
    /// </summary>
    /// <returns>The last answer, whatever its status, and whether it is the first.</returns>
    private async Task<(HttpResponseMessage Response, bool First)> AskAsync(
        HttpMethod method, Action<HttpRequestMessage> prepare, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            PelicanException? failure = null;
            try
            {
                HttpResponseMessage response = await SendAsync(method, prepare, settings.ResponseHeaderTimeout, cancellationToken);
                if (attempt == Tries || !Faults.IsPassing(response.StatusCode) || await IsBelowObjectAsync(response, cancellationToken))
                {
                    return (response, attempt == 1);
                }

                using (response)
                {
                    // Its text is for those who will wait for long.
                    failure = Faults.RetryAfterOf(response) > Retries.Long ? await Faults.FromStatusAsync(response, path, Name, cancellationToken) : null;
                }
            }
            catch (PelicanException e) when (e.Row == Errors.ConnectionReset && attempt < Tries)
            {
                // Asked again at once it may have been the connection alone; the server has a moment all the same.
                failure = e;
            }

            await http.Retries.WaitAsync(attempt, failure, cancellationToken);
        }
    }

    // XRootD says 500 of what is below an object; so it is no matter of time.
    private async Task<bool> IsBelowObjectAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        response.StatusCode == HttpStatusCode.InternalServerError && await InTheWayAsync(cancellationToken) is not null;

    /// <summary>
    /// Why nothing can be at this path: an object stands where a collection would have to be. Servers say that in many ways (404,
    /// 405, 409, 500), so it is looked for. Null when there is none, or that cannot be known.
    /// </summary>
    public async Task<PelicanException?> InTheWayAsync(CancellationToken cancellationToken)
    {
        if (_inTheWay is { } known)
        {
            return known;
        }

        for (ObjectPath? at = path.Parent; at is { } parent && parent != ObjectPath.Root && Director.BaseOf(url, path) is { } home; at = parent.Parent)
        {
            ObjectServer server = new(http, settings, Director.At(home, parent), parent, tokens);
            try
            {
                using HttpResponseMessage response = await server.PropfindOnceAsync(cancellationToken);
                if (response.StatusCode == HttpStatusCode.MultiStatus)
                {
                    await foreach ((ObjectInfo info, bool isSelf) in server.EntriesAsync(response, cancellationToken))
                    {
                        return isSelf && info is { IsCollection: false, IsKindTold: true } ? _inTheWay = Below(parent) : null;
                    }

                    return null;
                }

                if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.InternalServerError))
                {
                    return null;
                }
            }
            catch (PelicanException)
            {
                return null;
            }
        }

        return null;
    }

    private PelicanException Below(ObjectPath parent) => new(Errors.Specification,
        $"there can be no '{path}' at {Name}: '{parent}' is an object, and nothing is below an object",
        "Check the path, or choose another name.");
}
