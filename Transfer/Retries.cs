using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>The wait before anything is tried again: one rule for all operations, and a long wait is told.</summary>
/// <param name="settings">The first wait.</param>
/// <param name="clock">Time to wait by.</param>
/// <param name="random">Jitter.</param>
/// <param name="log">Where a long wait is told.</param>
internal sealed partial class Retries(ClientSettings settings, TimeProvider clock, Random random, ILogger log)
{
    /// <summary>What may be waited for without a word.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(5);

    /// <summary>Waits as <see cref="Backoff.Delay"/> says.</summary>
    /// <param name="attempt">Attempts made so far, from 1.</param>
    /// <param name="failure">How the last one ended; null where nobody said anything.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitAsync(int attempt, PelicanException? failure, CancellationToken cancellationToken)
    {
        TimeSpan wait = Backoff.Delay(attempt, settings.RetryDelay, failure?.RetryAfter, random);
        if (wait > Long)
        {
            // Not at once: some questions are asked beside a transfer, and are dropped when it ends.
            await Task.Delay(Long, clock, cancellationToken);
            wait -= Long;
            Log.Waits(log, wait.TotalSeconds.ToString("0", CultureInfo.InvariantCulture), failure?.Message ?? "the last attempt failed");
        }

        await Task.Delay(wait, clock, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Trying again in {Seconds} s: {Why}")]
        public static partial void Waits(ILogger log, string seconds, string why);
    }
}
