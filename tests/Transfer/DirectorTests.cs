using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class DirectorTests
{
    [Test]
    [Arguments("https://a:8443/ns/o", "/ns/o", "https://a:8443/")]
    [Arguments("https://a/prefix/ns/o", "/ns/o", "https://a/prefix/")]
    [Arguments("https://a/ns/o?authz=x", "/ns/o", "https://a/?authz=x")]
    [Arguments("https://a/ns//o/", "/ns/o", "https://a/")]
    [Arguments("https://a/ns/a%20b%2bc", "/ns/a b+c", "https://a/")]
    [Arguments("https://a/ns/a+b", "/ns/a+b", "https://a/")]
    [Arguments("https://a/ns/a,b'c", "/ns/a,b'c", "https://a/")]
    [Arguments("https://a/", "/", "https://a/")]
    [Arguments("https://a/prefix", "/", "https://a/prefix/")]
    public async Task The_base_of_a_server_is_what_precedes_the_object(string server, string path, string expected)
    {
        ObjectPath at = ObjectPath.FromPlain(path);

        Uri found = Director.BaseOf(DirectorHeaders.Exact(server)!, at)!;

        await Assert.That(found.AbsoluteUri).IsEqualTo(expected);
        await Assert.That(Director.BaseOf(Director.At(found, at), at)!.AbsoluteUri).IsEqualTo(expected);
    }

    [Test]
    [Arguments("https://a/ns/other", "/ns/o")]
    [Arguments("https://a/xns/o", "/ns/o")]
    [Arguments("https://a/o", "/ns/o")]
    [Arguments("https://a/ns/O", "/ns/o")]
    [Arguments("https://a/ns/%zz", "/ns/o")]
    [Arguments("https://a/x/../ns/o", "/ns/o")]
    public async Task A_server_of_something_else_has_no_base(string server, string path)
    {
        await Assert.That(Director.BaseOf(DirectorHeaders.Exact(server)!, ObjectPath.FromPlain(path))).IsNull();
    }

    [Test]
    [Arguments("https://a", "/ns/o", "https://a/ns/o")]
    [Arguments("https://a/", "/ns/o", "https://a/ns/o")]
    [Arguments("https://a:8443/prefix/", "/ns/a b%#?", "https://a:8443/prefix/ns/a%20b%25%23%3F")]
    [Arguments("https://a/prefix", "/", "https://a/prefix/")]
    [Arguments("https://a/?authz=x", "/ns/o", "https://a/ns/o?authz=x")]
    public async Task An_object_is_found_below_a_base(string serverBase, string path, string expected)
    {
        Uri url = Director.At(DirectorHeaders.Exact(serverBase)!, ObjectPath.FromPlain(path));

        await Assert.That(url.AbsoluteUri).IsEqualTo(expected);
    }
}
