using Microsoft.AspNetCore.Http;

namespace Pelican.Server;

/// <summary>How long nobody has asked the daemon for anything. Whether it is alive is no question that counts.</summary>
/// <param name="clock">Time.</param>
internal sealed class DaemonActivity(TimeProvider clock)
{
    /// <summary>Path of the question that does not count.</summary>
    public const string HealthPath = "/health";

    private int _running;
    private long _last = clock.GetTimestamp();

    /// <summary>Time since the last request ended; zero while one is under way, such as a stream of events.</summary>
    public TimeSpan IdleFor => Volatile.Read(ref _running) > 0 ? TimeSpan.Zero : clock.GetElapsedTime(Volatile.Read(ref _last));

    /// <summary>Answers a request, and counts it.</summary>
    public async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path == HealthPath)
        {
            await next(context);
            return;
        }

        Interlocked.Increment(ref _running);
        try
        {
            await next(context);
        }
        finally
        {
            Volatile.Write(ref _last, clock.GetTimestamp());
            Interlocked.Decrement(ref _running);
        }
    }
}
