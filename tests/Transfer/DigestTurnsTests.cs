using Microsoft.Extensions.Time.Testing;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

/// <summary>Which servers are so near that a question can meet the one before it.</summary>
public sealed class DigestTurnsTests
{
    [Test]
    [Arguments(1, true)]
    [Arguments(20, false)]
    public async Task A_server_is_near_by_its_fastest_answer(int milliseconds, bool near, CancellationToken cancellationToken)
    {
        FakeTimeProvider clock = new();
        DigestTurns turns = new(clock);
        foreach (int answer in (int[])[300, 300, milliseconds, 300, 300, 300, 300, 300])
        {
            await Assert.That(turns.IsNear("a:1")).IsTrue();
            await turns.TakeAsync("a:1", () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(answer));
                return Task.FromResult(0);
            }, cancellationToken);
        }

        await Assert.That(turns.IsNear("a:1")).IsEqualTo(near);
        await Assert.That(turns.IsNear("b:1")).IsTrue();
    }
}
