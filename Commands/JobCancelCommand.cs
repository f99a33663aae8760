using System.CommandLine;
using Pelican.ClientApi;
using Pelican.Json;

namespace Pelican.Commands;

/// <summary>What <c>job cancel</c> was asked to do.</summary>
internal sealed record CancelOptions(IReadOnlyList<string> Ids, DaemonAccess Daemon);

/// <summary><c>pelican job cancel</c>: stops jobs for good.</summary>
internal static class JobCancelCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("cancel", "Stop jobs for good.")
        {
            Usage = "<job-id>...",
            Details =
            [
                "Transfers that are complete stay; the others are stopped. The command returns when nothing moves any more. A job that cannot"
                + " be cancelled does not keep it from the others.",
            ],
            Examples =
            [
                ("pelican job cancel 550e8400-e29b-41d4-a716-446655440000", "one job"),
                ("pelican job list --status pending,running --limit 100 --json | jq -r '.jobs[].job_id' | xargs pelican job cancel", "all that are not over"),
            ],
        };
        Argument<string[]> words = verb.Words("job-id");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(parse => new CancelOptions(JobCommand.Ids(parse.GetValue(words) ?? []), daemon.Read(parse)), RunAsync));
        return verb;
    }

    /// <summary>Cancels.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(CancelOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        int worst = 0;
        foreach (string id in options.Ids)
        {
            try
            {
                Tell(await client.CancelJobAsync(id, cancellationToken), session);
            }
            catch (ApiException e) when (options.Ids.Count > 1 && e.Fault == ApiFault.Refused)
            {
                session.Failed(ApiFaults.Of(e), id);
                worst = worst == 0 ? ApiFaults.Of(e).ExitStatus : worst;
            }
        }

        return worst;
    }

    private static void Tell(JobCancelled cancelled, Session session)
    {
        if (session.Json)
        {
            session.Output.Json(cancelled, PelicanJson.Output.JobCancelled);
            session.Output.Flush();
        }
        else
        {
            session.Say($"Job {cancelled.JobId} cancelled successfully");
        }
    }
}
