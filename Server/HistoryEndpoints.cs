using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Server;

/// <summary>Past jobs, as today's servers show them; <c>GET jobs</c> has them too.</summary>
internal sealed class HistoryEndpoints(JobTable jobs)
{
    private const int UsualLimit = 100;
    private const int MostJobs = 1000;

    /// <summary><c>GET history</c>.</summary>
    public async Task<IResult> ListAsync(HttpContext context)
    {
        int? limit = Number("limit", UsualLimit);
        if (limit is not (>= 1 and <= MostJobs))
        {
            return ApiErrors.Invalid(FormattableString.Invariant($"Invalid limit parameter (must be 1-{MostJobs})"));
        }

        int? offset = Number("offset", 0);
        if (offset is null)
        {
            return ApiErrors.Invalid("Invalid offset parameter (must be >= 0)");
        }

        JobPage page = await jobs.HistoryAsync(new JobFilter
        {
            States = ApiRequest.States(context)?.Where(state => state.IsFinal()).ToArray(),
            From = ApiRequest.Time(context, "from"),
            To = ApiRequest.Time(context, "to"),
            Offset = offset.Value,
            Limit = limit.Value,
        });
        return ApiErrors.Json(new HistoryList([.. page.Jobs.Select(Item)], page.Total, limit.Value, offset.Value), PelicanJson.Output.HistoryList);

        int? Number(string name, int usual)
        {
            StringValues text = context.Request.Query[name];
            return text.Count == 0 ? usual : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
        }
    }

    /// <summary><c>DELETE history/{id}</c>.</summary>
    public async Task<IResult> RemoveAsync(HttpContext context)
    {
        string id = (string)context.Request.RouteValues["id"]!;
        return await jobs.RemoveAsync(id) switch
        {
            null => ApiErrors.NotFound("Job not found"),
            { } state when !state.IsFinal() => ApiErrors.Conflict($"Job is {state.Name()}", "Cancel it first."),
            _ => ApiErrors.Json(new HistoryRemoved("Job history deleted", id), PelicanJson.Output.HistoryRemoved),
        };
    }

    /// <summary><c>DELETE history?older_than=</c>.</summary>
    public async Task<IResult> PruneAsync(HttpContext context) => ApiRequest.Time(context, "older_than") is { } before
        ? ApiErrors.Json(
            new HistoryPruned("Old job history pruned", await jobs.PruneAsync(before, context.RequestAborted)), PelicanJson.Output.HistoryPruned)
        : ApiErrors.Invalid("Must provide either job_id or older_than parameter");

    private static HistoryItem Item(JobRow job) => new()
    {
        Id = job.Id,
        Status = job.State.Name(),
        CreatedAt = job.CreatedAt.ToUnixTimeSeconds(),
        StartedAt = job.StartedAt,
        CompletedAt = job.CompletedAt,
        ErrorMessage = job.Error ?? "",
        TransfersCompleted = job.TransfersCompleted,
        TransfersFailed = job.TransfersFailed,
        TransfersTotal = job.TransfersTotal,
        BytesTransferred = job.Bytes,
        TotalBytes = job.TotalBytes,
    };
}
