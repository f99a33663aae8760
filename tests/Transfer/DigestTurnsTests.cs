using Microsoft.Extensions.Time.Testing;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>How servers are asked for digests that are so near that a request can meet the question before it.</summary>
public sealed class DigestTurnsTests
{
    private readonly FakeTimeProvider _clock = new();
    private int _connections;
    private int _asked;

    [Test]
    [Arguments(1, true)]
    [Arguments(20, false)]
    public async Task A_server_is_near_by_its_fastest_answer(int milliseconds, bool near, CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();
        // The first waits for its connection as well, and tells nothing.
        foreach (int answer in (int[])[1, 300, 300, milliseconds, 300, 300, 300, 300, 300])
        {
            await AskAsync(turns, "a:1", answer, cancellationToken);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        await Assert.That(await AskAsync(turns, "a:1", 1, cancellationToken) is not null).IsEqualTo(near);
        await Assert.That(await AskAsync(turns, "b:1", 1, cancellationToken)).IsNotNull();
    }

    [Test]
    public async Task A_server_that_was_only_busy_is_near_after_all(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();
        for (int i = 0; i < 9; i++)
        {
            await AskAsync(turns, "a:1", 300, cancellationToken);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        HttpMessageInvoker? busy = await AskAsync(turns, "a:1", 1, cancellationToken);
        HttpMessageInvoker? now = await AskAsync(turns, "a:1", 1, cancellationToken);

        await Assert.That(busy).IsNull();
        await Assert.That(now).IsNotNull();
    }

    [Test]
    public async Task A_connection_rests_after_an_answer_and_is_used_again_then(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();

        HttpMessageInvoker? first = await AskAsync(turns, "a:1", 1, cancellationToken);
        HttpMessageInvoker? second = await AskAsync(turns, "a:1", 1, cancellationToken);
        _clock.Advance(TimeSpan.FromSeconds(1));
        HttpMessageInvoker? third = await AskAsync(turns, "a:1", 1, cancellationToken);

        await Assert.That(first).IsNotNull();
        await Assert.That(second).IsNotEqualTo(first);
        await Assert.That(third).IsEqualTo(first);
    }

    [Test]
    public async Task Nobody_opens_connections_without_end(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();
        for (int i = 0; i < 96; i++)
        {
            await AskAsync(turns, "a:1", 0, cancellationToken);
        }

        Task<HttpMessageInvoker?> next = AskAsync(turns, "a:1", 0, cancellationToken);
        bool waited = !next.IsCompleted;
        _clock.Advance(TimeSpan.FromSeconds(1));
        await next;

        await Assert.That(waited).IsTrue();
        await Assert.That(_connections).IsEqualTo(96);
    }

    [Test]
    public async Task A_server_that_does_not_stumble_is_asked_by_what_is_at_hand(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();

        HttpMessageInvoker? sender = await turns.TakeAsync("a:1", stumbles: false, 1, Task.FromResult, cancellationToken);

        await Assert.That(sender).IsNull();
    }

    [Test]
    public async Task A_small_object_never_waits_for_large_ones_and_nobody_for_long(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();
        const long Terabyte = 1_000_000_000_000;
        TaskCompletionSource never = new();
        Task first = Ask(Terabyte, never.Task);
        Task second = Ask(Terabyte, never.Task);

        await Ask(1, Task.CompletedTask);
        bool waited = _asked == 2;
        _clock.Advance(TimeSpan.FromSeconds(3.1));
        await Expect.UntilAsync(() => _asked == 3, cancellationToken);
        Task small = Ask(1, Task.CompletedTask);
        await Expect.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return small.IsCompleted;
        }, cancellationToken);
        never.SetResult();
        await Task.WhenAll(first, second, small);

        await Assert.That(waited).IsTrue();

        Task Ask(long size, Task end) => turns.TakeAsync("a:1", stumbles: false, size, async _ =>
        {
            Interlocked.Increment(ref _asked);
            await end;
            return 0;
        }, cancellationToken);
    }

    [Test]
    public async Task A_far_server_is_asked_at_once(CancellationToken cancellationToken)
    {
        using DigestTurns turns = Turns();
        for (int i = 0; i < 8; i++)
        {
            turns.Heard("a:1", TimeSpan.FromMilliseconds(80));
        }

        TaskCompletionSource end = new();
        Task[] questions = [.. Enumerable.Range(0, 5).Select(_ => turns.TakeAsync("a:1", stumbles: false, null, async _ =>
        {
            Interlocked.Increment(ref _asked);
            await end.Task;
            return 0;
        }, cancellationToken))];
        int asked = _asked;
        end.SetResult();
        await Task.WhenAll(questions);

        await Assert.That(asked).IsEqualTo(5);
    }

    private DigestTurns Turns() => new(() =>
    {
        _connections++;
        return new HttpMessageInvoker(new SocketsHttpHandler());
    }, _clock);

    private Task<HttpMessageInvoker?> AskAsync(DigestTurns turns, string server, int milliseconds, CancellationToken cancellationToken) =>
        turns.TakeAsync(server, stumbles: true, 1, sender =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
            return Task.FromResult(sender);
        }, cancellationToken);
}
