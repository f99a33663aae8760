using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pelican.Server;
using Pelican.Tests.Support;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>A store that cannot be written for a while.</summary>
public sealed class StorePatienceTests
{
    [Test]
    public async Task A_full_disk_is_waited_for(CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        int asked = 0;
        Task<int> waiting = new StorePatience("job", NullLogger.Instance, clock, cancellationToken).WaitAsync(() =>
            ++asked < 4 ? Task.FromException<int>(new PelicanException(Errors.LocalFull, "full")) : Task.FromResult(asked));

        await Expect.UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return waiting.IsCompleted;
        }, cancellationToken);

        await Assert.That(await waiting).IsEqualTo(4);
    }

    [Test]
    public async Task A_stop_ends_the_wait(CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<int> waiting = new StorePatience("job", NullLogger.Instance, new FakeTimeProvider(), stop.Token)
            .WaitAsync(() => Task.FromException<int>(new PelicanException(Errors.LocalFull, "full")));

        await stop.CancelAsync();

        await Assert.That(async () => await waiting).Throws<OperationCanceledException>();
    }
}
