using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class HttpDateTests
{
    private static readonly DateTimeOffset Sunday = new(1994, 11, 6, 8, 49, 37, TimeSpan.Zero);

    [Test]
    [Arguments("Sun, 06 Nov 1994 08:49:37 GMT")]
    [Arguments("Mon, 06 Nov 1994 08:49:37 GMT")]
    [Arguments("Sunday, 06-Nov-94 08:49:37 GMT")]
    [Arguments("Sun Nov  6 08:49:37 1994")]
    [Arguments("Mon Nov  6 08:49:37 1994")]
    [Arguments(" Sun, 6 Nov 1994 08:49:37 GMT\r\n")]
    [Arguments("1994-11-06T08:49:37Z")]
    [Arguments("1994-11-06T09:49:37+01:00")]
    public async Task All_forms_are_read_and_the_weekday_is_not(string text)
    {
        await Assert.That(HttpDate.Parse(text)).IsEqualTo(Sunday);
    }

    [Test]
    [Arguments("")]
    [Arguments("yesterday")]
    [Arguments("Sun, 36 Nov 1994 08:49:37 GMT")]
    [Arguments("Sun Nov  6 08:49:37")]
    [Arguments(",")]
    public async Task What_is_no_date_is_unknown(string text)
    {
        await Assert.That(HttpDate.Parse(text)).IsNull();
    }
}
