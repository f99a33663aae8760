namespace Pelican.Tests.OddAnswers;

/// <summary>A clock whose timers and stamps run faster than time, so that limits of minutes can be met in a test; dates stay right.</summary>
/// <param name="times">How much faster.</param>
internal sealed class FastClock(int times) : TimeProvider
{
    public override long GetTimestamp() => System.GetTimestamp() * times;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Faster(dueTime), Faster(period));

    private TimeSpan Faster(TimeSpan span) =>
        span <= TimeSpan.Zero ? span : TimeSpan.FromMilliseconds(Math.Max(1, span.TotalMilliseconds / times));
}
