using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class JobTextTests
{
    [Test]
    [Arguments(0, "0 B")]
    [Arguments(999, "999 B")]
    [Arguments(1000, "1.0 kB")]
    [Arguments(4_700_000, "4.7 MB")]
    [Arguments(10_400_000, "10.4 MB")]
    [Arguments(999_949_999, "999.9 MB")]
    [Arguments(999_950_000, "1.0 GB")]
    [Arguments(long.MaxValue, "9.2 EB")]
    public async Task A_MB_has_a_million_bytes(long bytes, string text)
    {
        await Assert.That(ConsoleText.Size(bytes)).IsEqualTo(text);
    }

    [Test]
    [Arguments(0, "0.0%")]
    [Arguments(45.2, "45.2%")]
    [Arguments(99.99, "99.9%")]
    [Arguments(100, "100.0%")]
    public async Task A_hundred_percent_is_all_of_it(double percentage, string text)
    {
        await Assert.That(JobText.Percent(percentage)).IsEqualTo(text);
    }
}
