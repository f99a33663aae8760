using System.Threading.Channels;

namespace Pelican.Transfer;

/// <summary>Works on what a walk finds, several at once, while the walk goes on.</summary>
internal static class TreeWorkers
{
    /// <summary>How far the walk may be ahead, for each worker: enough that none waits for a listing, and no more.</summary>
    private const int Ahead = 16;

    /// <summary>Runs both to the end.</summary>
    /// <param name="workers">How many are worked on at once.</param>
    /// <param name="walk">Writes what it finds.</param>
    /// <param name="work">Works on one.</param>
    /// <param name="cancellationToken">Stops both.</param>
    public static async Task RunAsync<T>(
        int workers, Func<ChannelWriter<T>, CancellationToken, Task> walk, Func<T, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        Channel<T> found = Channel.CreateBounded<T>(new BoundedChannelOptions(workers * Ahead) { SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task walking = WalkAsync();
        try
        {
            ParallelOptions parallel = new() { MaxDegreeOfParallelism = workers, CancellationToken = stop.Token };
            await Parallel.ForEachAsync(found.Reader.ReadAllAsync(stop.Token), parallel, async (item, token) => await work(item, token));
            await walking;
        }
        finally
        {
            await stop.CancelAsync();
            await walking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task WalkAsync()
        {
            try
            {
                await walk(found.Writer, stop.Token);
            }
            finally
            {
                found.Writer.Complete();
            }
        }
    }
}
