using Microsoft.Extensions.Time.Testing;
using Pelican.Server;

namespace Pelican.Tests.Server;

/// <summary>Rates over the last seconds.</summary>
public sealed class RateMeterTests
{
    [Test]
    public async Task The_rate_is_that_of_the_last_seconds_and_not_since_the_start()
    {
        FakeTimeProvider clock = new();
        RateMeter meter = new(clock);
        long bytes = 0;
        await Assert.That(meter.Sample(bytes)).IsEqualTo(0);
        for (int i = 0; i < 60; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            meter.Sample(bytes += 125_000);
        }

        await Assert.That(Math.Round(meter.Sample(bytes), 3)).IsEqualTo(1.0);
        for (int i = 0; i < 12; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            meter.Sample(bytes += 1_250_000);
        }

        await Assert.That(Math.Round(meter.Sample(bytes), 3)).IsEqualTo(10.0);
    }

    [Test]
    public async Task What_stands_still_or_starts_over_has_no_rate()
    {
        FakeTimeProvider clock = new();
        RateMeter meter = new(clock);
        meter.Sample(1_000_000);
        for (int i = 0; i < 20; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            meter.Sample(1_000_000);
        }

        await Assert.That(meter.Sample(1_000_000)).IsEqualTo(0);
        clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.That(meter.Sample(0)).IsEqualTo(0);
    }
}
