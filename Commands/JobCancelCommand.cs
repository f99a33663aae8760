using System.CommandLine;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Commands;

/// <summary>What <c>job cancel</c> was asked to do.</summary>
internal sealed record CancelOptions(string Id, DaemonAccess Daemon);

/// <summary><c>pelican job cancel</c>: stops a job for good.</summary>
internal static class JobCancelCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("cancel", "Stop a job for good.")
        {
            Usage = "<job-id>",
            Details = ["Transfers that are complete stay; the others are stopped. The command returns when nothing moves any more."],
            Examples = [("pelican job cancel 550e8400-e29b-41d4-a716-446655440000", "one job")],
        };
        Argument<string[]> words = verb.Words("job-id");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(parse => new CancelOptions(JobCommand.Id(parse.GetValue(words) ?? []), daemon.Read(parse)), RunAsync));
        return verb;
    }

    /// <summary>Cancels.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(CancelOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        JobCancelled cancelled = await client.CancelJobAsync(options.Id, cancellationToken);
        if (session.Json)
        {
            session.Output.Json(cancelled, PelicanJson.Output.JobCancelled);
        }
        else
        {
            session.Say($"Job {cancelled.JobId} cancelled successfully");
        }

        return 0;
    }
}
