using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class ConsoleTextTests
{
    [Test]
    [Arguments("plain name.dat", "plain name.dat")]
    [Arguments("Zürich-数据-😀", "Zürich-数据-😀")]
    [Arguments("a\e[31mred\a", "a\\x1b[31mred\\x07")]
    [Arguments("two\nlines\r", "two\\x0alines\\x0d")]
    [Arguments("\u009b2J\u007f", "\\x9b2J\\x7f")]
    [Arguments("exe\u202Efdp", "exe\\u202efdp")]
    [Arguments("a\u2066b\u2028c", "a\\u2066b\\u2028c")]
    public async Task What_could_command_a_terminal_is_spelled_out(string text, string visible)
    {
        await Assert.That(ConsoleText.Visible(text)).IsEqualTo(visible);
    }

    [Test]
    [Arguments(0, "0 B")]
    [Arguments(999, "999 B")]
    [Arguments(1000, "1.0 kB")]
    [Arguments(9949, "9.9 kB")]
    [Arguments(9950, "10.0 kB")]
    [Arguments(999_499, "999.5 kB")]
    [Arguments(999_950, "1.0 MB")]
    [Arguments(1_073_741_824, "1.1 GB")]
    [Arguments(5e18, "5.0 EB")]
    public async Task Sizes_have_decimal_units(double bytes, string text)
    {
        await Assert.That(ConsoleText.Size(bytes)).IsEqualTo(text);
    }

    [Test]
    [Arguments(0.0004, "0.00 s")]
    [Arguments(0.034, "0.03 s")]
    [Arguments(0.096, "0.1 s")]
    [Arguments(1.24, "1.2 s")]
    [Arguments(59.96, "1m00s")]
    [Arguments(125, "2m05s")]
    [Arguments(3599.6, "1h00m")]
    [Arguments(90_000, "25h00m")]
    public async Task Times_are_as_exact_as_they_are_long(double seconds, string text)
    {
        await Assert.That(ConsoleText.Elapsed(TimeSpan.FromSeconds(seconds))).IsEqualTo(text);
    }

    [Test]
    [Arguments("abcdef", 6, "abcdef")]
    [Arguments("abcdef", 5, "abcd…")]
    [Arguments("数据数据", 5, "数据…")]
    [Arguments("abc", 0, "")]
    public async Task A_line_is_cut_to_the_columns_it_may_take(string text, int columns, string fitted)
    {
        await Assert.That(ConsoleText.Fit(text, columns)).IsEqualTo(fitted);
    }

    [Test]
    [Arguments("osdf:///ospool/ap20/data/run1.dat", 40, "osdf:///ospool/ap20/data/run1.dat")]
    [Arguments("osdf:///ospool/ap20/data/run1.dat", 20, "osdf:///os…/run1.dat")]
    [Arguments("osdf:///ospool/ap20/data/run1.dat", 8, "…un1.dat")]
    public async Task A_path_is_cut_in_the_middle(string path, int columns, string fitted)
    {
        await Assert.That(ConsoleText.FitPath(path, columns)).IsEqualTo(fitted);
        await Assert.That(ConsoleText.Width(fitted)).IsLessThanOrEqualTo(columns);
    }

    [Test]
    public async Task A_moment_is_told_in_the_zone_of_the_reader()
    {
        DateTimeOffset time = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var zone = TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromMinutes(-330), "x", "x");

        await Assert.That(ConsoleText.Time(time, zone)).IsEqualTo("2026-03-01 06:30:00");
        await Assert.That(ConsoleText.ZonedTime(time, zone)).IsEqualTo("2026-03-01 06:30:00 -0530");
        await Assert.That(ConsoleText.ZonedTime(time, TimeZoneInfo.Utc)).IsEqualTo("2026-03-01 12:00:00 +0000 UTC");
    }

    [Test]
    public async Task The_time_left_is_as_on_a_clock()
    {
        await Assert.That(ConsoleText.Clock(TimeSpan.FromSeconds(78))).IsEqualTo("1:18");
        await Assert.That(ConsoleText.Clock(TimeSpan.FromSeconds(90_061))).IsEqualTo("25:01:01");
    }
}
