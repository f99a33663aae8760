using System.CommandLine;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>What <c>job list</c> was asked to do.</summary>
internal sealed record ListOptions(string? Status, int Limit, int Offset, DaemonAccess Daemon);

/// <summary><c>pelican job list</c>: the jobs of the Client API server, newest first.</summary>
internal static class JobListCommand
{
    private const int UsualLimit = 10;

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandHost host)
    {
        Verb verb = new("list", "List jobs, the newest first.")
        {
            Details = ["Running, waiting and past jobs alike. The server shows at most 100 at once; --offset goes on from there."],
            Examples =
            [
                ("pelican job list", "the last ten"),
                ("pelican job list --status failed --limit 100", "what went wrong"),
                ("pelican job list --status pending,running", "what is not over"),
                ("pelican job list --limit 20 --offset 20", "the second page of twenty"),
            ],
        };
        Option<string?> status = verb.Value("--status", "STATE", $"Only jobs in this state, or in these with commas between them: {string.Join(", ", JobStates.All)}", "-s");
        Option<string?> limit = verb.Value("--limit", "N", "Jobs to show, at most 100 (default 10)", "-l");
        Option<string?> offset = verb.Value("--offset", "N", "Jobs to pass over (default 0)", "-o");
        DaemonFlags daemon = new(verb);
        verb.SetAction(host.Action(
            parse => new ListOptions(
                State(parse.GetValue(status)),
                JobCommand.Number("--limit", parse.GetValue(limit), UsualLimit, least: 1),
                JobCommand.Number("--offset", parse.GetValue(offset), 0, least: 0),
                daemon.Read(parse)),
            RunAsync));
        return verb;
    }

    /// <summary>Lists.</summary>
    /// <returns>Exit status.</returns>
    public static async Task<int> RunAsync(ListOptions options, Session session, CancellationToken cancellationToken)
    {
        using ApiClient client = options.Daemon.Open(session);
        JobList list = await client.ListJobsAsync(options.Status, options.Limit, options.Offset, cancellationToken);
        if (session.Json)
        {
            session.Output.Json(list, PelicanJson.Output.JobList);
            return 0;
        }

        if (list.Jobs.Count == 0)
        {
            session.Output.Line("No jobs found");
            return 0;
        }

        JobText text = new(session.World.Clock.LocalTimeZone);
        foreach (string line in text.Table(list.Jobs, session.OutputColumns))
        {
            session.Output.Line(line);
        }

        if (list.Total > list.Jobs.Count)
        {
            session.Output.Flush();
            session.Summary(FormattableString.Invariant($"Showing {list.Offset + 1}-{list.Offset + list.Jobs.Count} of {list.Total} jobs"));
        }

        return 0;
    }

    private static string? State(string? text)
    {
        if (text?.Split(',').FirstOrDefault(state => !JobStates.All.Contains(state)) is not { } unknown)
        {
            return text;
        }

        string? near = Spelling.Nearest(unknown, JobStates.All);
        throw new PelicanException(Errors.Parameter, $"there is no state '{unknown}'" + (near is null ? "" : $"; is '{near}' meant?"),
            $"A job is {string.Join(", ", JobStates.All.SkipLast(1))} or {JobStates.All[^1]}.");
    }
}
