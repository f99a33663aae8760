using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class AttemptFailuresTests
{
    private static readonly PelicanException Slow = new(Errors.Slow, "a is too slow") { RetryAfter = TimeSpan.FromSeconds(3) };
    private static readonly PelicanException Broken = new(Errors.Transfer, "b broke") { RetryAfter = TimeSpan.FromSeconds(5) };
    private static readonly PelicanException Missing = new(Errors.NotFound, "c has none", "Check the spelling.");
    private static readonly PelicanException Denied = new(Errors.Authorization, "d refused");

    [Test]
    public async Task A_single_failure_speaks_for_itself()
    {
        PelicanException error = Combine(Missing);

        await Assert.That(error.Message).IsEqualTo("c has none");
        await Assert.That(error.NextStep).IsEqualTo("Check the spelling.");
        await Assert.That(error.Row).IsEqualTo(Errors.NotFound);
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.NotFound.ExitStatus);
    }

    [Test]
    public async Task Failures_that_all_pass_are_retryable_and_the_longest_wait_counts()
    {
        PelicanException error = Combine(Slow, Broken);

        await Assert.That(error.Retryable).IsTrue();
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.RetryableExitStatus);
        await Assert.That(error.Row).IsEqualTo(Errors.Transfer);
        await Assert.That(error.RetryAfter).IsEqualTo(TimeSpan.FromSeconds(5));
        await Assert.That(error.Message).IsEqualTo("could not (2 attempts): a is too slow; b broke");
        await Assert.That(error.Attempts.Count).IsEqualTo(2);
    }

    [Test]
    public async Task One_that_does_not_pass_decides()
    {
        PelicanException error = Combine(Slow, Missing, Denied, Broken);

        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(error.Row).IsEqualTo(Errors.NotFound);
        await Assert.That(error.NextStep).IsEqualTo("Check the spelling.");
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.NotFound.ExitStatus);
        foreach (PelicanException failure in (PelicanException[])[Slow, Missing, Denied, Broken])
        {
            await Assert.That(error.Message).Contains(failure.Message);
        }
    }

    [Test]
    public async Task The_same_failure_is_told_once()
    {
        await Assert.That(Combine(Broken, Broken, Broken).Message).IsEqualTo("could not (3 attempts): b broke");
    }

    [Test]
    public async Task A_row_that_passes_may_be_said_not_to()
    {
        PelicanException settled = new(Errors.Transfer, "no more") { Retryable = false };

        PelicanException error = Combine(Slow, settled);

        await Assert.That(error.Retryable).IsFalse();
        await Assert.That(error.ExitStatus).IsEqualTo(Errors.Transfer.ExitStatus);
    }

    private static PelicanException Combine(params PelicanException[] failures) => AttemptFailures.Combine(
        "could not", failures, [.. failures.Select(f => new Attempt("s", 0, TimeSpan.Zero, f.Message, f.Row))]);
}
