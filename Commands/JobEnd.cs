using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Commands;

/// <summary>Waits for the end of a job, and says how it ended.</summary>
internal static class JobEnd
{
    /// <summary>Exit status when the job failed.</summary>
    public const int Failed = 13;

    /// <summary>Exit status when the job was cancelled.</summary>
    public const int Cancelled = 14;

    /// <summary>Exit status when the job goes on, and nobody waits for it any longer.</summary>
    public const int GoingOn = 15;

    private static readonly TimeSpan Redrawn = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Waits, with a line of progress on a terminal; when the command is interrupted, the job goes on, and that is said.
    /// </summary>
    public static async Task<JobStatus> WaitAsync(
        ApiClient client, string id, JobWait wait, Session session, CancellationToken cancellationToken)
    {
        bool shows = session.ShowsProgress && !session.Json && wait.Seen is null;
        try
        {
            return await client.WaitForJobAsync(id, wait with
            {
                Every = shows ? Redrawn : wait.Every,
                Seen = shows ? job => session.Messages.Show([ConsoleText.Fit(JobText.Progress(job), session.World.TerminalSize().Columns - 1)]) : wait.Seen,
                Lost = () => session.Messages.Warning("the Client API server is not there; waiting for it to come back (it keeps the job)"),
            }, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            session.Messages.Line($"Job {id} goes on without this command; 'pelican job wait {id}' waits for it again");
            throw;
        }
        finally
        {
            if (shows)
            {
                session.Messages.Show([]);
            }
        }
    }

    /// <summary>Tells how a job ended, on standard output if well and on standard error if not.</summary>
    /// <param name="job">The job.</param>
    /// <param name="session">The run.</param>
    /// <param name="several">Whether it is one of several: then it is named.</param>
    /// <returns>Exit status.</returns>
    public static int Tell(JobStatus job, Session session, bool several = false)
    {
        int status = StatusOf(job);
        if (session.Json)
        {
            session.Output.Json(job, PelicanJson.Output.JobStatus);
            session.Output.Flush();
        }
        else if (status == 0)
        {
            session.Say(several ? $"Job {job.JobId} completed successfully" : "Job completed successfully");
            session.Say(FormattableString.Invariant($"Transferred: {job.Progress.BytesTransferred} bytes"));
        }

        string? error = status switch
        {
            Failed => $"Error: job {job.JobId} failed: {job.Error ?? "it does not say why"}",
            Cancelled => $"Error: job {job.JobId} was cancelled",
            GoingOn => $"Error: job {job.JobId} is still {job.Status}; it goes on",
            _ => null,
        };
        if (error is not null)
        {
            session.Messages.Line(error);
        }

        return status;
    }

    /// <summary>Exit status for the state of a job.</summary>
    public static int StatusOf(JobStatus job) => job.Status switch
    {
        JobStates.Completed => 0,
        JobStates.Failed => Failed,
        JobStates.Cancelled => Cancelled,
        _ => GoingOn,
    };

    /// <summary>Exit status for several jobs: that of an error, else failed before cancelled before going on.</summary>
    public static int Worst(IReadOnlyCollection<int> statuses)
    {
        int error = statuses.FirstOrDefault(status => status is not (0 or Failed or Cancelled or GoingOn));
        return error != 0 ? error : statuses.Where(status => status != 0).DefaultIfEmpty(0).Min();
    }
}
