namespace Pelican.Transfer;

/// <summary>Makes one error of the failures at several servers.</summary>
internal static class AttemptFailures
{
    /// <summary>The error to report: retryable only if every server's last failure is.</summary>
    /// <param name="what">What could not be done.</param>
    /// <param name="failures">The last failure at each server, in the order of the servers.</param>
    /// <param name="attempts">Every attempt.</param>
    public static PelicanException Combine(string what, IReadOnlyList<PelicanException> failures, IReadOnlyList<Attempt> attempts)
    {
        // The one that no later try can cure is the one to tell of.
        PelicanException telling = failures.FirstOrDefault(f => !f.Retryable) ?? failures[^1];
        string message = failures.Count == 1 && attempts.Count == 1
            ? telling.Message
            : $"{what} ({attempts.Count} attempts): {string.Join("; ", failures.Select(f => f.Message).Distinct())}";
        return new PelicanException(telling.Row, message, telling.NextStep, telling)
        {
            Retryable = failures.All(f => f.Retryable),
            RetryAfter = failures.Max(f => f.RetryAfter),
            Attempts = attempts,
        };
    }
}
