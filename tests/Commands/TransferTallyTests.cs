using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class TransferTallyTests
{
    [Test]
    public async Task Without_failures_all_is_well()
    {
        await Assert.That(new TransferTally(0).ExitStatus).IsEqualTo(0);
        await Assert.That(new TransferTally(0).Retryable).IsFalse();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_failure_that_no_retry_cures_is_the_worst(bool first)
    {
        TransferTally tally = new(3);
        PelicanException[] failures = [new(Errors.Slow, ""), new(Errors.Stopped, ""), new(Errors.NotFound, "")];

        Array.ForEach(first ? [.. failures.Reverse()] : failures, tally.Add);

        await Assert.That(tally.ExitStatus).IsEqualTo(8);
        await Assert.That(tally.Retryable).IsFalse();
        await Assert.That(tally.Failed).IsEqualTo(3);
    }

    [Test]
    public async Task Failures_that_can_be_cured_keep_the_status_of_a_retry()
    {
        TransferTally tally = new(2);

        tally.Add(new PelicanException(Errors.Slow, ""));
        tally.Add(new PelicanException(Errors.ConnectionReset, ""));

        await Assert.That(tally.ExitStatus).IsEqualTo(11);
        await Assert.That(tally.Retryable).IsTrue();
    }
}
