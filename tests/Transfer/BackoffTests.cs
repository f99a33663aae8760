using Microsoft.Extensions.Time.Testing;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class BackoffTests
{
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(0.5);

    [Test]
    [Arguments(1, 0.0, 0.25)]
    [Arguments(1, 0.5, 0.5)]
    [Arguments(2, 0.5, 1.0)]
    [Arguments(3, 0.5, 2.0)]
    [Arguments(5, 0.5, 8.0)]
    [Arguments(6, 0.5, 15.0)]
    [Arguments(6, 0.0, 7.5)]
    [Arguments(1000, 0.5, 15.0)]
    [Arguments(int.MaxValue, 0.5, 15.0)]
    public async Task Waits_double_up_to_a_quarter_minute(int attempt, double chance, double seconds)
    {
        await Assert.That(Backoff.Delay(attempt, Half, null, new Chance(chance)).TotalSeconds).IsEqualTo(seconds);
    }

    [Test]
    public async Task Chance_spreads_a_wait_from_half_of_it_to_one_and_a_half()
    {
        TimeSpan[] waits = [.. Enumerable.Range(0, 1000).Select(seed => Backoff.Delay(1, Half, null, new Random(seed)))];

        await Assert.That(waits.Min()).IsGreaterThanOrEqualTo(Half * 0.5).And.IsLessThan(Half * 0.6);
        await Assert.That(waits.Max()).IsLessThanOrEqualTo(Half * 1.5).And.IsGreaterThan(Half * 1.4);
    }

    [Test]
    [Arguments(0.0, 0.5)]
    [Arguments(0.2, 0.5)]
    [Arguments(7.0, 7.0)]
    [Arguments(60.0, 60.0)]
    [Arguments(3600.0, 60.0)]
    public async Task A_server_may_ask_for_more_up_to_a_minute(double asked, double seconds)
    {
        await Assert.That(Backoff.Delay(1, Half, TimeSpan.FromSeconds(asked), new Chance(0.5)).TotalSeconds).IsEqualTo(seconds);
    }

    [Test]
    public async Task No_wait_stays_none()
    {
        await Assert.That(Backoff.Delay(9, TimeSpan.Zero, null, new Chance(0.9))).IsEqualTo(TimeSpan.Zero);
    }

    [Test]
    [Arguments(60, "Warning: Trying again in 55 s: the server is tired")]
    [Arguments(6, "Warning: Trying again in 1 s: the server is tired")]
    [Arguments(5, null)]
    public async Task A_long_wait_is_told_when_it_has_lasted_a_while(int asked, string? told)
    {
        FakeTimeProvider clock = new();
        LogLines log = new();
        Retries retries = new(new ClientSettings { RetryDelay = Half }, clock, new Chance(0.5), log);

        Task wait = retries.WaitAsync(1, new PelicanException(Errors.Overloaded, "the server is tired") { RetryAfter = TimeSpan.FromSeconds(asked) }, CancellationToken.None);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        bool isTold = log.All.Count > 0;
        clock.Advance(TimeSpan.FromSeconds(0.1));
        bool waits = asked == 5 || !wait.IsCompleted;
        clock.Advance(TimeSpan.FromSeconds(asked - 5));
        await wait;

        await Assert.That((isTold, waits)).IsEqualTo((false, true));
        await Assert.That(log.All).IsEquivalentTo(told is null ? Array.Empty<string>() : [told]);
    }

    private sealed class Chance(double value) : Random
    {
        public override double NextDouble() => value;
    }
}
