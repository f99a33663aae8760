using System.Collections.Concurrent;
using System.Globalization;
using Pelican.Federation;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.OddAnswers;

/// <summary>
/// Every operation under odd answers, by chance. <c>PELICAN_ODD</c> says how many odd answers (20 000), <c>PELICAN_SEED</c> repeats
/// a run: case n of a run is the first of the seed that is n larger, and a failure tells that one.
/// </summary>
[NotInParallel]
public sealed class OddAnswersTests
{
    /// <summary>Kinds of federation; what a case meets depends on its seed alone.</summary>
    private const int Kinds = 12;

    private const int Workers = 2 * Kinds;
    private const int CasesPerClient = 8;
    private const int ClientsPerFederation = 50;
    private const int Hurry = 200;
    private const int Enough = 20;

    /// <summary>More than twice what the slowest limits, made faster, add up to.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly int _seed = Setting("PELICAN_SEED") ?? 26_696_097;
    private readonly int _count = Setting("PELICAN_ODD") ?? 20_000;
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<string, (int Done, int All)> _ends = new();
    private readonly ConcurrentDictionary<string, int> _kinds = new();
    private (TimeSpan Time, int Seed) _slowest;
    private int _cases;
    private int _odd;

    [Test, Timeout(36_000_000)]
    public async Task No_odd_answer_makes_it_say_or_do_what_is_wrong(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(worker, cancellationToken), cancellationToken)));

        string story = string.Create(CultureInfo.InvariantCulture, $"seed {_seed}: {_odd} odd answers in {_cases} cases, the slowest {_slowest.Seed} in {_slowest.Time.TotalSeconds:f1} s; ")
            + string.Join(", ", _ends.OrderBy(end => end.Key).Select(end => $"{end.Key} {end.Value.Done} of {end.Value.All}"));
        Console.WriteLine(string.Join('\n', _wrong.Append(story)));
        Console.WriteLine(string.Join(", ", _kinds.OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Value}")));
        await Assert.That(_wrong).IsEmpty().Because(story);
        await Assert.That(_ends.Values.All(end => end.Done > 0 || end.All < 200 || _count < 1000)).IsTrue().Because("every operation succeeds now and then: " + story);
        // The rarest come once or so in twenty thousand.
        await Assert.That(OddReply.Names.Where(name => _count >= 200_000 && !_kinds.ContainsKey(name))).IsEmpty().Because("every kind of answer was given");
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static bool MustFail(string what) => what is "put onto" or "put -r onto" or "delete of a collection";

    private void Slowest(TimeSpan time, int seed)
    {
        lock (_ends)
        {
            _slowest = time > _slowest.Time ? (time, seed) : _slowest;
        }
    }

    private async Task WorkAsync(int worker, CancellationToken cancellationToken)
    {
        int seed = _seed + ((worker - (_seed % Workers) + Workers) % Workers);
        while (Goes)
        {
            // Both kinds of server, and Pelican's in one process as well as apart; half of them in clear, where no token goes.
            int kind = worker % Kinds;
            Dialect dialect = kind % 3 == 0 ? Dialect.Xrootd62 : kind % 6 == 4 ? Dialect.Xrootd58 : Dialect.Pelican;
            bool isClear = kind >= Kinds / 2;
            string? root = InMemory();
            await using TestFederation federation = await TestFederation.StartAsync(new() { Origins = [dialect], Caches = [dialect], OneProcess = kind == 1, Root = root, Tls = !isClear });
            OddServers servers = new(federation, _kinds);
            servers.Install();
            string? token = isClear ? null : federation.Issuer.CreateToken("storage.read:/ storage.create:/ storage.modify:/", TimeSpan.FromHours(12));
            string story = $"{dialect}{(kind == 1 ? " in one process" : "")}{(isClear ? " in clear" : "")}";
            for (int i = 0; i < ClientsPerFederation && Goes; i++, seed += CasesPerClient * Workers)
            {
                await ClientAsync(federation, servers, token, seed, story, cancellationToken);
            }

            if (root is not null)
            {
                Directory.Delete(root, true);
            }
        }
    }

    // Thousands of small files made and removed take a disk longer than all else here.
    private static string? InMemory()
    {
        string root = $"/dev/shm/odd-{Guid.NewGuid():N}";
        return Directory.Exists("/dev/shm") ? Directory.CreateDirectory(root).FullName : null;
    }

    private bool Goes => Volatile.Read(ref _odd) < _count && _wrong.Count < Enough;

    private async Task ClientAsync(TestFederation federation, OddServers servers, string? token, int seed, string story, CancellationToken cancellationToken)
    {
        ClientSettings settings = new() { ResponseHeaderTimeout = TimeSpan.FromSeconds(100) };
        using TestClient client = new(federation, settings, token, new FastClock(Hurry));
        for (int i = 0; i < CasesPerClient && Goes; i++, seed += Workers)
        {
            Interlocked.Increment(ref _cases);
            int before = servers.Odd;
            OddCase one = new(federation, servers, seed, token);
            servers.Begin(seed);
            long began = TimeProvider.System.GetTimestamp();
            IReadOnlyList<string> wrong = await one.RunAsync(client, Limit, cancellationToken);
            Slowest(TimeProvider.System.GetElapsedTime(began), seed);
            Interlocked.Add(ref _odd, servers.Odd - before);
            _ends.AddOrUpdate(one.What, _ => Next((0, 0)), (_, end) => Next(end));
            if (wrong.Count > 0)
            {
                _wrong.Enqueue($"PELICAN_SEED={seed} ({one.What}, {story}): {string.Join("; ", wrong)}\n{servers.Story}\n");
            }

            (int, int) Next((int Done, int All) end) => (end.Done + (one.HasSucceeded || MustFail(one.What) ? 1 : 0), end.All + 1);
        }
    }
}
