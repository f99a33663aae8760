using System.CommandLine;
using System.Globalization;
using Pelican.ClientApi;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>job wait</c> was asked to do.</summary>
internal sealed record WaitOptions(string Id, TimeSpan? Timeout, DaemonAccess Daemon);

/// <summary><c>pelican job wait</c>: returns when a job is over.</summary>
internal static class JobWaitCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("wait", "Wait until a job is over.")
        {
            Usage = "<job-id>",
            Details =
            [
                "The exit status tells how the job ended: 0 completed, 13 failed, 14 cancelled, 15 not over after --timeout. A restart of the"
                + " server is waited through. Ctrl+C ends the waiting, not the job.",
            ],
            Examples =
            [
                ("pelican job wait 550e8400-e29b-41d4-a716-446655440000", "however long it takes"),
                ("pelican job wait --timeout 10m 550e8400-e29b-41d4-a716-446655440000", "ten minutes at most"),
                ("pelican job wait --timeout 0 550e8400-e29b-41d4-a716-446655440000", "only the exit status, at once"),
            ],
        };
        Argument<string[]> words = verb.Words("job-id");
        Option<string?> timeout = verb.Value("--timeout", "TIME", "Longest time to wait, such as 90s or 1h30m (default: no limit)");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(
            parse => new WaitOptions(JobCommand.Id(parse.GetValue(words) ?? []), Time(parse.GetValue(timeout)), daemon.Read(parse)), RunAsync));
        return verb;
    }

    /// <summary>Waits.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(WaitOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        if (!session.Json && options.Timeout != TimeSpan.Zero)
        {
            session.Say("Waiting for job to complete...");
        }

        return JobEnd.Tell(
            await JobEnd.WaitAsync(client, options.Id, new JobWait { Timeout = options.Timeout }, session, cancellationToken), session);
    }

    private static TimeSpan? Time(string? text)
    {
        if (text is null)
        {
            return null;
        }

        TimeSpan? time = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            ? TimeSpan.FromSeconds(seconds)
            : GoDuration.Parse(text);
        return time >= TimeSpan.Zero ? time
            : throw new PelicanException(Errors.Parameter, $"--timeout '{text}' is not a time", "Write 90s, 10m or 1h30m; a bare number counts seconds.");
    }
}
