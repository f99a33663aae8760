using Pelican.Server;

namespace Pelican.Tests.Server;

public sealed class GoDurationTests
{
    [Test]
    [Arguments("1m40s", 100_000)]
    [Arguments("100ms", 100)]
    [Arguments("1.5h", 5_400_000)]
    [Arguments("0", 0)]
    [Arguments("0s", 0)]
    [Arguments(".5s", 500)]
    [Arguments("+2s", 2000)]
    [Arguments("-2s", -2000)]
    [Arguments("1h1m1s1ms", 3_661_001)]
    public async Task What_Go_understands_is_understood(string text, int milliseconds)
    {
        await Assert.That(GoDuration.Parse(text)).IsEqualTo(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Test]
    [Arguments("")]
    [Arguments("5")]
    [Arguments("s")]
    [Arguments("5 s")]
    [Arguments("5d")]
    [Arguments("1.2.3s")]
    [Arguments("--1s")]
    [Arguments("1e3s")]
    [Arguments("99999999999999999h")]
    public async Task What_Go_refuses_is_refused(string text)
    {
        await Assert.That(GoDuration.Parse(text)).IsNull();
    }
}
