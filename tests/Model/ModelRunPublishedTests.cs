using System.Globalization;
using Pelican.Federation;
using Pelican.Tests.Server;

namespace Pelican.Tests.Model;

/// <summary>
/// Random sequences of commands, jobs, cancellations, <c>kill -9</c>, restarts and a second user's writes, and a model that knows what
/// may be at the origin afterwards. <c>PELICAN_MODEL</c> says how many steps (150 for each kind of server), <c>PELICAN_SEED</c> repeats the
/// random numbers, though not the moments.
/// </summary>
public sealed class ModelRunPublishedTests
{
    private readonly int _seed = Setting("PELICAN_SEED") ?? Environment.TickCount & 0xFFFFFFF;
    private readonly int _steps = Setting("PELICAN_MODEL") ?? 150;

    [Test, Timeout(7_200_000), NotInParallel]
    [Arguments("xrootd62")]
    [Arguments("pelican")]
    public async Task Nothing_of_somebody_else_is_lost_and_what_is_said_is_so(string kind, CancellationToken cancellationToken)
    {
        Dialect dialect = Dialect.All.Single(one => one.Name == kind);
        await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [] });
        await using PublishedDaemon daemon = await PublishedDaemon.StartAsync(federation, "--max-jobs", "3");
        ModelRun run = new(federation, daemon, new Random(_seed));

        for (int step = 0; step < _steps && run.Wrong.Count == 0; step++)
        {
            await run.StepAsync(cancellationToken);
        }

        await run.SettleAsync(cancellationToken);
        string story = string.Create(CultureInfo.InvariantCulture, $"seed {_seed}, {kind}, {run.Steps} steps: {run.Counts}");
        Console.WriteLine(story);
        await Assert.That(run.Wrong).IsEmpty().Because(story + "\n" + run.Story);
        await Assert.That(federation.Origin.Failures).IsEmpty();
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
