using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Jobs: create, show, list, cancel.</summary>
internal sealed class JobEndpoints(JobTable jobs)
{
    private const int UsualLimit = 10;
    private const int MostJobs = 100;
    private const int LongestKey = 255;

    /// <summary><c>POST jobs</c>.</summary>
    public async Task<IResult> CreateAsync(HttpContext context)
    {
        (Creation creation, IResult? refusal) = await SubmitAsync(context);
        if (refusal is not null)
        {
            return refusal;
        }

        context.Response.Headers.Location = $"{context.Request.Path.Value!.TrimEnd('/')}/{creation.Job.Job.Id}";
        return EventStream.IsWanted(context)
            ? new EventStream(jobs, creation.Job.Job.Id, after: null)
            : ApiErrors.Json(JobViews.Created(creation.Job), PelicanJson.Output.JobCreated, StatusCodes.Status201Created);
    }

    /// <summary><c>GET jobs</c>.</summary>
    public async Task<IResult> ListAsync(HttpContext context)
    {
        JobFilter filter = new()
        {
            States = ApiRequest.States(context),
            From = ApiRequest.Time(context, "from"),
            To = ApiRequest.Time(context, "to"),
            After = ApiRequest.Cursor(context),
            Offset = ApiRequest.Offset(context),
            Limit = ApiRequest.Limit(context, UsualLimit, MostJobs),
        };
        JobPage page = await jobs.ListAsync(filter);
        return ApiErrors.Json(
            new JobList(
                [.. page.Jobs.Select(job => JobViews.Item(job, jobs.Live(job.Id)))], page.Total, filter.Limit, filter.Offset,
                page.More ? ApiRequest.Cursor(page.Jobs[^1]) : null),
            PelicanJson.Output.JobList);
    }

    /// <summary><c>GET jobs/{id}</c>, at once, or with <c>?wait=</c> after the next change, or with <c>&amp;since=</c> one after that number.</summary>
    public async Task<IResult> ShowAsync(HttpContext context)
    {
        string id = Id(context);
        JobRecord? record = ApiRequest.Wait(context) is { } wait
            ? await jobs.WaitAsync(id, ApiRequest.Sequence(context.Request.Query["since"], "since parameter"), wait, context.RequestAborted)
            : await jobs.FindAsync(id);
        return record is null ? Unknown() : ApiErrors.Json(JobViews.Status(record, jobs.Live(id)), PelicanJson.Output.JobStatus);
    }

    /// <summary><c>GET jobs/{id}/transfers/{transfer}</c>.</summary>
    public async Task<IResult> ShowTransferAsync(HttpContext context)
    {
        string id = Id(context);
        JobRecord? record = await jobs.FindAsync(id);
        return record is null ? Unknown()
            : JobViews.Transfer(record, (string)context.Request.RouteValues["transfer"]!, jobs.Live(id)) is { } transfer
            ? ApiErrors.Json(transfer, PelicanJson.Output.TransferStatus)
            : ApiErrors.NotFound("Transfer not found");
    }

    /// <summary><c>GET jobs/{id}/events</c>.</summary>
    public async Task<IResult> EventsAsync(HttpContext context)
    {
        string id = Id(context);
        string? last = context.Request.Headers["Last-Event-ID"];
        long? after = ApiRequest.Sequence(last ?? context.Request.Query["last_event_id"], "Last-Event-ID");
        // A number that the job has not reached is another job's: nothing is known of this one.
        return await jobs.FindRowAsync(id) is not { } job ? Unknown() : new EventStream(jobs, id, after > job.Sequence ? null : after);
    }

    /// <summary><c>DELETE jobs/{id}</c>.</summary>
    public async Task<IResult> CancelAsync(HttpContext context)
    {
        string id = Id(context);
        JobRecord? record = await jobs.CancelAsync(id, context.RequestAborted);
        return record is null ? Unknown()
            : record.Job.State != JobState.Cancelled ? ApiErrors.Conflict($"Job already {record.Job.State.Name()}")
            : ApiErrors.Json(
                new JobCancelled(id, record.Job.State.Name(), "Job cancelled", Count(JobState.Cancelled), record.Job.TransfersCompleted),
                PelicanJson.Output.JobCancelled);

        int Count(JobState state) => record.Transfers.Count(transfer => transfer.State == state);
    }

    private async Task<(Creation Creation, IResult? Refusal)> SubmitAsync(HttpContext context)
    {
        byte[] body = await ApiRequest.BodyAsync(context);
        string? key = context.Request.Headers["Idempotency-Key"];
        if (key is { Length: 0 or > LongestKey })
        {
            throw new PelicanException(Errors.Parameter, FormattableString.Invariant($"the Idempotency-Key must have 1 to {LongestKey} characters"));
        }

        JobRequest request = ApiRequest.Parse(body, ApiRequest.Types.JobRequest);
        Creation creation = await jobs.CreateAsync(request, key, key is null ? null : SHA256.HashData(body));
        return (creation, creation.SameRequest ? null : ApiErrors.KeyReused());
    }

    private static string Id(HttpContext context) => (string)context.Request.RouteValues["id"]!;

    private static IResult Unknown() =>
        ApiErrors.NotFound("Job not found", "'pelican job list' shows the jobs that are known; what ended long ago is forgotten.");
}
