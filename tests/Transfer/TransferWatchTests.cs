using Microsoft.Extensions.Time.Testing;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>The rules of federation-protocol 3.8 in half-second steps, as the watch itself looks.</summary>
public sealed class TransferWatchTests : IDisposable
{
    private const int Fast = 1_000_000;
    private const int Crawl = 50_000;

    private static readonly ClientSettings Settings = new();

    private readonly FakeTimeProvider _clock = new();
    private readonly TransferWatch _watch;

    public TransferWatchTests() => _watch = new TransferWatch(Settings, slowRule: true, _clock);

    public void Dispose() => _watch.Dispose();

    [Test]
    public async Task Silence_ends_a_transfer_at_the_limit_and_not_before()
    {
        Run(99.5, 0);
        await Assert.That(_watch.Stopped.IsCancellationRequested).IsFalse();

        Run(0.5, 0);
        await Assert.That(_watch.Stopped.IsCancellationRequested).IsTrue();
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Stalled);
        await Assert.That(_watch.Error("c:8443").Row).IsEqualTo(Errors.Stopped);
        await Assert.That(_watch.Error("c:8443").Message).Contains("c:8443");
    }

    [Test]
    public async Task A_byte_now_and_then_is_not_silence()
    {
        using TransferWatch upload = new(Settings, slowRule: false, _clock);
        for (int i = 0; i < 10; i++)
        {
            Run(99.5, 0);
            upload.Moved(1);
        }

        await Assert.That(upload.Reason).IsEqualTo(StopReason.None);
    }

    [Test]
    public async Task A_fast_transfer_that_falls_silent_is_stalled_and_not_slow()
    {
        Run(200, Fast);
        Run(99.5, 0);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        Run(0.5, 0);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Stalled);
    }

    [Test]
    public async Task A_crawl_is_forgiven_at_the_start_and_then_for_one_window()
    {
        Run(129.5, Crawl);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        Run(0.5, Crawl);
        await Assert.That(_watch.Stopped.IsCancellationRequested).IsTrue();
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
        await Assert.That(_watch.Error("c:8443").Row).IsEqualTo(Errors.Slow);
        await Assert.That(_watch.Error("c:8443").Message).Contains("50 kB/s");
    }

    [Test]
    public async Task The_speed_that_is_demanded_is_enough()
    {
        Run(600, 102_400);

        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);
    }

    [Test]
    public async Task A_transfer_that_began_well_may_not_crawl_for_ever()
    {
        Run(600, Fast);
        Run(25, Crawl);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        // The mean needs a while to come down: ln(950/52.4) times ten seconds.
        Run(35, Crawl);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
    }

    [Test]
    public async Task Recovery_opens_a_new_window()
    {
        Run(125, Crawl);
        Run(5, Fast);
        for (int i = 0; i < 10; i++)
        {
            Run(29, Crawl);
            Run(5, Fast);
        }

        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        Run(60, Crawl);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
    }

    [Test]
    public async Task A_few_bytes_in_long_silences_are_a_crawl()
    {
        Run(200, Fast);
        Run(60, 0);
        _watch.Moved(1);
        Run(30, 0);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        Run(1, 0);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
    }

    [Test]
    public async Task Waiting_for_our_own_disk_is_neither_silence_nor_a_crawl()
    {
        Run(200, Fast);
        for (int i = 0; i < 20; i++)
        {
            _watch.Busy = true;
            Run(60, 0);
            _watch.Busy = false;
            Run(1, Fast);
        }

        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);
    }

    [Test]
    public async Task Our_own_pauses_do_not_hide_a_crawl()
    {
        Run(100, Crawl);
        for (int i = 0; i < 29; i++)
        {
            Run(1, Crawl);
            _watch.Busy = true;
            Run(10, 0);
            _watch.Busy = false;
        }

        await Assert.That(_watch.Reason).IsEqualTo(StopReason.None);

        Run(2, Crawl);
        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
    }

    [Test]
    public async Task The_rule_of_slowness_can_be_turned_off()
    {
        using TransferWatch off = new(Settings with { MinimumDownloadSpeed = 0 }, slowRule: true, _clock);
        using TransferWatch upload = new(Settings, slowRule: false, _clock);
        for (int i = 0; i < 600; i++)
        {
            off.Moved(1);
            upload.Moved(1);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        await Assert.That(off.Reason).IsEqualTo(StopReason.None);
        await Assert.That(upload.Reason).IsEqualTo(StopReason.None);
    }

    [Test]
    public async Task The_first_reason_stands()
    {
        Run(135, Crawl);
        Run(200, 0);

        await Assert.That(_watch.Reason).IsEqualTo(StopReason.Slow);
    }

    private void Run(double seconds, int bytesPerSecond)
    {
        for (int tick = 0; tick < seconds * 2; tick++)
        {
            _watch.Moved(bytesPerSecond / 2);
            _clock.Advance(TimeSpan.FromSeconds(0.5));
        }
    }
}
