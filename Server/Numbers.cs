namespace Pelican.Server;

/// <summary>Sums of what servers say: they end at the largest number instead of in a fault.</summary>
internal static class Numbers
{
    /// <summary>Adds two numbers that are not negative.</summary>
    public static long Add(long a, long b) => b > long.MaxValue - a ? long.MaxValue : a + b;

    /// <summary>Adds many.</summary>
    public static long Sum<T>(IEnumerable<T> all, Func<T, long> number) => all.Aggregate(0L, (sum, one) => Add(sum, number(one)));
}
