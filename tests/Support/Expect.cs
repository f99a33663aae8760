using Pelican.Transfer;

namespace Pelican.Tests.Support;

/// <summary>What tests wait for.</summary>
internal static class Expect
{
    /// <summary>The error that an operation ends with.</summary>
    public static async Task<PelicanException> FailureAsync(Task task) =>
        await FailureOrNullAsync(task) ?? throw new InvalidOperationException("It succeeded.");

    /// <summary>The same; null when it succeeds.</summary>
    public static async Task<PelicanException?> FailureOrNullAsync(Task task)
    {
        try
        {
            await task;
            return null;
        }
        catch (PelicanException e)
        {
            return e;
        }
    }

    /// <summary>Waits until something is so; the test's own limit ends it.</summary>
    public static async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
