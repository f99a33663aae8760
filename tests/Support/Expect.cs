using Pelican.Transfer;

namespace Pelican.Tests.Support;

/// <summary>What tests wait for.</summary>
internal static class Expect
{
    /// <summary>The error that an operation ends with.</summary>
    public static async Task<PelicanException> FailureAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (PelicanException e)
        {
            return e;
        }

        throw new InvalidOperationException("It succeeded.");
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
