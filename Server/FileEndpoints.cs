using Microsoft.AspNetCore.Http;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Objects and collections: stat, list, delete, while the caller waits.</summary>
internal sealed class FileEndpoints(JobTable jobs, FederationClient client)
{
    /// <summary>A server may compute a digest for minutes; the caller of stat asked for none by name.</summary>
    private static readonly TimeSpan DigestPatience = TimeSpan.FromSeconds(10);

    /// <summary><c>POST stat</c>.</summary>
    public async Task<IResult> StatAsync(HttpContext context)
    {
        UrlRequest request = ApiRequest.Parse(await ApiRequest.BodyAsync(context), ApiRequest.Types.UrlRequest);
        string url = jobs.RequestCheck.CheckUrl(request.Url, request.Options);
        TransferOptions options = JobOptionsReader.Read(request.Options, jobs.DefaultFileMode);
        ObjectInfo info = await client.StatAsync(url, options, [], context.RequestAborted);
        StatAnswer answer = Answer(info);
        return ApiErrors.Json(
            info.IsCollection ? answer : answer with { Checksums = await ChecksumsAsync(url, options, context.RequestAborted) },
            PelicanJson.Output.StatAnswer);
    }

    /// <summary><c>POST list</c>.</summary>
    public async Task<IResult> ListAsync(HttpContext context)
    {
        UrlRequest request = ApiRequest.Parse(await ApiRequest.BodyAsync(context), ApiRequest.Types.UrlRequest);
        string url = jobs.RequestCheck.CheckUrl(request.Url, request.Options);
        IReadOnlyList<ObjectInfo> listing =
            await client.ListAsync(url, JobOptionsReader.Read(request.Options, jobs.DefaultFileMode), context.RequestAborted);
        return ApiErrors.Json(
            new ListAnswer([.. listing.OrderBy(info => info.Name, StringComparer.Ordinal).Select(Answer)]), PelicanJson.Output.ListAnswer);
    }

    /// <summary><c>POST delete</c>.</summary>
    public async Task<IResult> DeleteAsync(HttpContext context)
    {
        DeleteRequest request = ApiRequest.Parse(await ApiRequest.BodyAsync(context), ApiRequest.Types.DeleteRequest);
        (string url, bool isTree) = jobs.RequestCheck.CheckTree(request.Url, request.Options);
        TransferOptions options = JobOptionsReader.Read(request.Options, jobs.DefaultFileMode);
        // Once begun it is carried through: who hangs up does not know how far it came.
        if (!request.Recursive && !isTree)
        {
            await client.DeleteAsync(url, options, jobs.Stopping);
        }
        else if ((await client.DeleteTreeAsync(url, options, (_, _) => { }, new TreeProgress(), jobs.Stopping)).Failure is { } failure)
        {
            throw failure;
        }

        return ApiErrors.Json(new DeleteAnswer("Object deleted successfully", request.Url), PelicanJson.Output.DeleteAnswer);
    }

    private static StatAnswer Answer(ObjectInfo info) => new(info.Name, info.Size, info.IsCollection, info.Modified);

    // The first that a server has, or the one that the caller named; null when there is none in time.
    private async Task<IReadOnlyDictionary<string, string>?> ChecksumsAsync(string url, TransferOptions options, CancellationToken cancellationToken)
    {
        using CancellationTokenSource enough = new(DigestPatience, jobs.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        foreach (ChecksumAlgorithm algorithm in options.Algorithm is { } named ? [named] : Enum.GetValues<ChecksumAlgorithm>())
        {
            try
            {
                return (await client.StatAsync(url, options, [algorithm], either.Token)).Checksums;
            }
            catch (PelicanException e) when (e.Row == Errors.ChecksumMissing)
            {
                // The next one, perhaps.
            }
            catch (OperationCanceledException) when (enough.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }

        return null;
    }
}
