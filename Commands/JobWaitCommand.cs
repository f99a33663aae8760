using System.CommandLine;
using Pelican.ClientApi;

namespace Pelican.Commands;

/// <summary>What <c>job wait</c> was asked to do.</summary>
internal sealed record WaitOptions(IReadOnlyList<string> Ids, TimeSpan? Timeout, DaemonAccess Daemon);

/// <summary><c>pelican job wait</c>: returns when jobs are over.</summary>
internal static class JobWaitCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("wait", "Wait until jobs are over.")
        {
            Usage = "<job-id>...",
            Details =
            [
                "The exit status tells how the job ended: 0 completed, 13 failed, 14 cancelled, 15 not over after --timeout; of several jobs, the"
                + " first of 13, 14 and 15 that is true of one of them. A restart of the server is waited through. Ctrl+C ends the waiting, not the job.",
            ],
            Examples =
            [
                ("pelican job wait 550e8400-e29b-41d4-a716-446655440000", "however long it takes"),
                ("pelican job wait --timeout 10m 550e8400-e29b-41d4-a716-446655440000", "ten minutes at most"),
                ("pelican job wait --timeout 0 550e8400-e29b-41d4-a716-446655440000", "only the exit status, at once"),
                ("pelican job wait $(pelican -q object put --async run1.dat osdf:///ns/run1.dat)", "what has just been handed over"),
            ],
        };
        Argument<string[]> words = verb.Words("job-id");
        Option<string?> timeout = verb.Value("--timeout", "TIME", "Longest time to wait, for all of them, such as 90s or 1h30m (default: no limit)");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(
            parse => new WaitOptions(
                JobCommand.Ids(parse.GetValue(words) ?? []), JobCommand.Time("--timeout", parse.GetValue(timeout)), daemon.Read(parse)),
            RunAsync));
        return verb;
    }

    /// <summary>Waits.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(WaitOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        bool several = options.Ids.Count > 1;
        if (!session.Json && options.Timeout != TimeSpan.Zero)
        {
            session.Say(several ? "Waiting for jobs to complete..." : "Waiting for job to complete...");
        }

        long start = session.World.Clock.GetTimestamp();
        List<int> ends = [];
        foreach (string id in options.Ids)
        {
            JobWait wait = new() { Timeout = options.Timeout is { } limit ? Positive(limit - session.World.Clock.GetElapsedTime(start)) : null };
            try
            {
                ends.Add(JobEnd.Tell(await JobEnd.WaitAsync(client, id, wait, session, cancellationToken), session, several));
            }
            catch (ApiException e) when (several && e.Fault == ApiFault.Refused)
            {
                session.Failed(ApiFaults.Of(e), id);
                ends.Add(ApiFaults.Of(e).ExitStatus);
            }
        }

        return JobEnd.Worst(ends);
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
