using System.CommandLine;
using System.Globalization;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>job prune</c> was asked to do.</summary>
internal sealed record PruneOptions(TimeSpan Age, DaemonAccess Daemon);

/// <summary><c>pelican job prune</c>: makes the server forget jobs that are over.</summary>
internal static class JobPruneCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("prune", "Forget jobs that ended long ago.")
        {
            Details =
            [
                "Only what is written about the jobs goes; nothing that they transferred does. Jobs that wait or run stay. The server does the"
                + " same by itself, after the days that the setting ClientApi.HistoryRetentionDays says (30 when it is not set).",
            ],
            Examples =
            [
                ("pelican job prune --older-than 7d", "those that ended more than a week ago"),
                ("pelican job prune --older-than 0", "all that are over"),
            ],
        };
        Option<string?> age = verb.Value("--older-than", "TIME", "Forget jobs that ended longer ago than this, such as 12h or 30d");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(
            parse => new PruneOptions(JobCommand.Time("--older-than", parse.GetValue(age))
                ?? throw new PelicanException(Errors.Parameter, "no age is given", "Say which jobs may go: --older-than 30d"), daemon.Read(parse)),
            RunAsync));
        return verb;
    }

    /// <summary>Prunes.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(PruneOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        HistoryPruned pruned = await client.PruneJobsAsync(session.World.Clock.GetUtcNow() - options.Age, cancellationToken);
        if (session.Json)
        {
            session.Output.Json(pruned, PelicanJson.Output.HistoryPruned);
        }
        else
        {
            session.Say(string.Create(CultureInfo.InvariantCulture, $"Forgot {pruned.Pruned} {(pruned.Pruned == 1 ? "job" : "jobs")}"));
        }

        return 0;
    }
}
