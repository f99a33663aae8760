using System.Net;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ProxyChoiceTests
{
    [Test]
    [Arguments("site.edu", "https://cache.site.edu/x", true)]
    [Arguments("site.edu", "https://site.edu:8443/x", true)]
    [Arguments(".site.edu", "https://cache.site.edu/x", true)]
    [Arguments("*.site.edu", "https://cache.site.edu/x", true)]
    [Arguments("SITE.edu", "https://cache.Site.EDU/x", true)]
    [Arguments("site.edu", "https://othersite.edu/x", false)]
    [Arguments("site.edu", "https://site.edu.example/x", false)]
    [Arguments("*", "https://anything.example/x", true)]
    [Arguments("a.example, b.example", "https://b.example/x", true)]
    [Arguments("a.example b.example", "https://b.example/x", true)]
    [Arguments("127.0.0.0/8", "https://127.1.2.3:8443/x", true)]
    [Arguments("127.0.0.0/8", "https://128.1.2.3/x", false)]
    [Arguments("10.1.2.3", "https://10.1.2.3/x", true)]
    [Arguments("::1", "https://[::1]:8443/x", true)]
    [Arguments("[::1]:8443", "https://[::1]:8443/x", true)]
    [Arguments("fd00::/8", "https://[fd00::7]/x", true)]
    [Arguments("host.example:8443", "https://host.example:8443/x", true)]
    [Arguments("host.example:8443", "https://host.example:8444/x", false)]
    [Arguments("host.example:443", "https://host.example/x", true)]
    [Arguments("0.0.0.1", "https://10.0.0.1/x", false)]
    [Arguments("", "https://host.example/x", false)]
    [Arguments(" , ,", "https://host.example/x", false)]
    [Arguments(null, "https://host.example/x", false)]
    public async Task No_proxy_is_read_as_curl_and_Go_read_it(string? noProxy, string url, bool direct)
    {
        ProxyChoice choice = new(new WebProxy("http://proxy.example:3128"), noProxy);

        await Assert.That(choice.IsBypassed(new Uri(url))).IsEqualTo(direct);
    }
}
