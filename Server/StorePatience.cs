using Microsoft.Extensions.Logging;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Waits while the store cannot be written: a full disk is no fault of a job.</summary>
/// <param name="job">Id of the job that waits.</param>
/// <param name="logger">Is told once a wait.</param>
/// <param name="clock">Times the waits.</param>
/// <param name="stop">Ends the waiting.</param>
internal sealed partial class StorePatience(string job, ILogger logger, TimeProvider clock, CancellationToken stop)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Asks until it succeeds.</summary>
    /// <exception cref="OperationCanceledException">It was stopped before.</exception>
    public async Task<T> WaitAsync<T>(Func<Task<T>> ask)
    {
        for (TimeSpan wait = First; ; wait = wait * 2 < Longest ? wait * 2 : Longest)
        {
            try
            {
                return await ask();
            }
            catch (PelicanException e)
            {
                CannotNote(logger, job, e.Message);
            }

            await Task.Delay(wait, clock, stop);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot note what happens to job {Job}: {Fault}.")]
    private static partial void CannotNote(ILogger logger, string job, string fault);
}
