using System.CommandLine;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>job status</c> was asked to do.</summary>
internal sealed record StatusOptions(string Id, bool Watch, TimeSpan? Timeout, DaemonAccess Daemon);

/// <summary><c>pelican job status</c>: how a job is getting on.</summary>
internal static class JobStatusCommand
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(2);

    private static ReadOnlySpan<byte> ClearScreen => "\e[H\e[2J"u8;

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("status", "Show how a job is getting on.")
        {
            Usage = "<job-id>",
            Details =
            [
                "Times are local; a MB is 10^6 bytes. With --watch the display is renewed every two seconds until the job is over,"
                + " also while the server is restarted, and the exit status tells how the job ended.",
            ],
            Examples =
            [
                ("pelican job status 550e8400-e29b-41d4-a716-446655440000", "once"),
                ("pelican job status --watch 550e8400-e29b-41d4-a716-446655440000", "until it is over"),
                ("pelican job status --json 550e8400-e29b-41d4-a716-446655440000 | jq .progress.percentage", "for a program"),
            ],
        };
        Argument<string[]> words = verb.Words("job-id");
        Option<bool> watch = verb.Switch("--watch", "Go on showing it, every 2 seconds, until the job is over", "-w");
        Option<string?> timeout = verb.Value("--timeout", "TIME", "With --watch: stop after so long, such as 90s or 1h30m");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(
            parse => new StatusOptions(
                JobCommand.Id(parse.GetValue(words) ?? []), parse.GetValue(watch), Limit(parse.GetValue(timeout), parse.GetValue(watch)), daemon.Read(parse)),
            RunAsync));
        return verb;

        static TimeSpan? Limit(string? timeout, bool watch) => timeout is null || watch
            ? JobCommand.Time("--timeout", timeout)
            : throw new PelicanException(Errors.Parameter, "--timeout goes with --watch", "Add --watch, or leave it out.");
    }

    /// <summary>Shows it.</summary>
    /// <returns>Exit status: 0 when the state could be had; with <c>--watch</c>, how the job ended.</returns>
    public static async Task<int> RunAsync(StatusOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        if (!options.Watch)
        {
            Show(await client.GetJobStatusAsync(options.Id, cancellationToken), session);
            return 0;
        }

        long? shown = null;
        JobWait wait = new()
        {
            Timeout = options.Timeout,
            Every = Refresh,
            Seen = job =>
            {
                bool screen = session.World.OutputIsTerminal && !session.Json;
                if (screen)
                {
                    session.World.Output.Write(ClearScreen);
                }
                else if (job.Sequence == shown)
                {
                    return;
                }

                if (!screen && !session.Json && shown is not null)
                {
                    session.Output.Line("");
                }

                Show(job, session);
                session.Output.Flush();
                shown = job.Sequence;
            },
        };
        return JobEnd.StatusOf(await JobEnd.WaitAsync(client, options.Id, wait, session, cancellationToken));
    }

    private static void Show(JobStatus job, Session session)
    {
        if (session.Json)
        {
            session.Output.Json(job, PelicanJson.Output.JobStatus);
            return;
        }

        foreach (string line in new JobText(session.World.Clock.LocalTimeZone).Status(job, session.OutputColumns))
        {
            session.Output.Line(line);
        }
    }
}
