using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class ConsoleRateTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Test]
    public async Task Two_counts_make_a_rate()
    {
        ConsoleRate rate = new();
        rate.Add(Start, 0);
        await Assert.That(rate.BytesPerSecond).IsNull();

        rate.Add(Start.AddSeconds(2), 100);

        await Assert.That(rate.BytesPerSecond).IsEqualTo(50);
    }

    [Test]
    public async Task What_is_long_past_does_not_count()
    {
        ConsoleRate rate = new();
        for (int second = 0; second <= 20; second++)
        {
            rate.Add(Start.AddSeconds(second), second <= 10 ? second * 1000 : 10_000);
        }

        await Assert.That(rate.BytesPerSecond).IsEqualTo(0);
    }

    [Test]
    public async Task A_count_that_falls_starts_afresh()
    {
        ConsoleRate rate = new();
        rate.Add(Start, 0);
        rate.Add(Start.AddSeconds(1), 1000);
        rate.Add(Start.AddSeconds(2), 0);
        await Assert.That(rate.BytesPerSecond).IsNull();

        rate.Add(Start.AddSeconds(3), 10);

        await Assert.That(rate.BytesPerSecond).IsEqualTo(10);
    }
}
