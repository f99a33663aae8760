using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ObjectUrlTests
{
    private static readonly ClientSettings None = new();

    [Test]
    [Arguments("pelican://fed.example/ns/obj", "https://fed.example/", "/ns/obj", null)]
    [Arguments("pelican://fed.example:8444/ns/obj", "https://fed.example:8444/", "/ns/obj", null)]
    [Arguments("pelican://fed.example:443/ns/obj", "https://fed.example/", "/ns/obj", null)]
    [Arguments("pelican://[::1]:8444/ns/obj", "https://[::1]:8444/", "/ns/obj", null)]
    [Arguments("PELICAN://Fed.Example/NS", "https://fed.example/", "/NS", null)]
    [Arguments("pelican://fed.example//a//b c%20d", "https://fed.example/", "/a/b%20c%20d", null)]
    [Arguments("pelican://fed.example", "https://fed.example/", "/", null)]
    [Arguments("osdf:///a/b", "https://osg-htc.org/", "/a/b", null)]
    [Arguments("osdf://a/b", "https://osg-htc.org/", "/a/b", null)]
    [Arguments("osdf://a", "https://osg-htc.org/", "/a", null)]
    [Arguments("osdf://foo/bar%20baz", "https://osg-htc.org/", "/foo/bar%20baz", null)]
    [Arguments("osdf:////a", "https://osg-htc.org/", "/a", null)]
    [Arguments("stash:///a/b", "https://osg-htc.org/", "/a/b", null)]
    [Arguments("stash://a/b", "https://osg-htc.org/", "/a/b", null)]
    [Arguments("OSDF:///a", "https://osg-htc.org/", "/a", null)]
    [Arguments("mytok+osdf:///a/b", "https://osg-htc.org/", "/a/b", "mytok")]
    [Arguments("mytok+osdf://a/b", "https://osg-htc.org/", "/a/b", "mytok")]
    [Arguments("MyTok+pelican://fed.example/a", "https://fed.example/", "/a", "mytok")]
    [Arguments("a+b-c.d+stash:///a", "https://osg-htc.org/", "/a", "a+b-c.d")]
    [Arguments("my_tok+osdf:///a", "https://osg-htc.org/", "/a", "my_tok")]
    public async Task An_URL_names_federation_path_and_token(string text, string federation, string path, string? token)
    {
        ObjectUrl url = ObjectUrl.Parse(text, None);

        await Assert.That(url.Federation.AbsoluteUri).IsEqualTo(federation);
        await Assert.That(url.Path.Encoded).IsEqualTo(path);
        await Assert.That(url.TokenName).IsEqualTo(token);
        await Assert.That(url.Text).IsEqualTo(text);
        await Assert.That(ObjectUrl.IsRemote(text)).IsTrue();
    }

    [Test]
    [Arguments("http://h/a", "http")]
    [Arguments("https://h/a", "https")]
    [Arguments("file:///a", "file")]
    [Arguments("s3+http://h/a", "http")]
    [Arguments("pelican+ssh://h/a", "ssh")]
    [Arguments("pelican:/fed.example/a", "pelican://<")]
    [Arguments("pelican:fed.example/a", "pelican://<")]
    [Arguments("osdf:/a/b", "osdf:///<")]
    [Arguments("osdf:foo/bar", "osdf:///<")]
    [Arguments("tok+osdf:foo", "tok+osdf:///<")]
    [Arguments("osdf://foo:80/x", "osdf:///<")]
    [Arguments("osdf://user@foo/x", "osdf:///<")]
    [Arguments("pelican:///a/b", "two slashes")]
    [Arguments("pelican://:8444/a", "<host>")]
    [Arguments("pelican://user@fed.example/a", "<host>")]
    [Arguments("pelican://user:secret@fed.example/a", "<host>")]
    [Arguments("pelican://fed.example:http/a", "<host>")]
    [Arguments("pelican://fed.example:99999/a", "<host>")]
    [Arguments("pelican://fed example/a", "<host>")]
    [Arguments("pelican://fed\\example/a", "<host>")]
    [Arguments("pelican://fed.example/a#b", "%23")]
    [Arguments("osdf:///a?directread#b", "%23")]
    [Arguments("pelican://fed.example/a/../b", "root")]
    [Arguments("osdf://../a", "root")]
    [Arguments("pelican://fed.example/100%", "%25")]
    [Arguments("a/b", "absolute path")]
    [Arguments("", "absolute path")]
    [Arguments("+osdf:///a", "absolute path")]
    public async Task A_malformed_URL_is_refused_with_the_way_out(string text, string way)
    {
        PelicanException error = Assert.Throws<PelicanException>(() => ObjectUrl.Parse(text, None));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(error.Message + error.NextStep).Contains(way);
    }

    [Test]
    [Arguments("fed.example", "https://fed.example/")]
    [Arguments("fed.example:8444", "https://fed.example:8444/")]
    [Arguments("https://fed.example", "https://fed.example/")]
    [Arguments("https://fed.example/", "https://fed.example/")]
    [Arguments("https://fed.example:443", "https://fed.example/")]
    [Arguments("http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    [Arguments("pelican://fed.example", "https://fed.example/")]
    [Arguments("Pelican://fed.example:8444", "https://fed.example:8444/")]
    public async Task A_bare_path_belongs_to_the_configured_federation(string configured, string federation)
    {
        ObjectUrl url = ObjectUrl.Parse("/ns/o%20x?directread", new ClientSettings { DiscoveryUrl = configured });

        await Assert.That(url.Federation.AbsoluteUri).IsEqualTo(federation);
        await Assert.That(url.Path.Encoded).IsEqualTo("/ns/o%20x");
        await Assert.That(url.DirectRead).IsTrue();
    }

    [Test]
    [Arguments("https://fed.example/path")]
    [Arguments("https://fed.example?x=y")]
    [Arguments("https://fed.example/#x")]
    [Arguments("https://user@fed.example")]
    [Arguments("osdf://fed.example")]
    [Arguments("ftp://fed.example")]
    [Arguments("https://")]
    [Arguments("a b")]
    public async Task A_configured_federation_is_a_host_and_nothing_more(string configured)
    {
        PelicanException error = Assert.Throws<PelicanException>(
            () => ObjectUrl.Parse("/ns/o", new ClientSettings { DiscoveryUrl = configured }));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(error.Message).Contains(configured);
    }

    [Test]
    public async Task The_configured_federation_is_for_bare_paths_alone()
    {
        ClientSettings settings = new() { DiscoveryUrl = "https://other.example" };

        await Assert.That(ObjectUrl.Parse("osdf:///a", settings).Federation.Host).IsEqualTo("osg-htc.org");
        await Assert.That(ObjectUrl.Parse("pelican://fed.example/a", settings).Federation.Host).IsEqualTo("fed.example");
    }

    [Test]
    [Arguments(null)]
    [Arguments("")]
    public async Task A_bare_path_without_a_federation_says_how_to_name_one(string? configured)
    {
        PelicanException error = Assert.Throws<PelicanException>(
            () => ObjectUrl.Parse("/ns/o", new ClientSettings { DiscoveryUrl = configured }));

        await Assert.That(error.NextStep!).Contains("-f");
    }

    [Test]
    [Arguments("osdf:///a/", true)]
    [Arguments("osdf:///a/?directread", true)]
    [Arguments("pelican://fed.example", true)]
    [Arguments("pelican://fed.example/", true)]
    [Arguments("osdf://", true)]
    [Arguments("osdf:///a", false)]
    [Arguments("osdf://a", false)]
    [Arguments("osdf://a?directread", false)]
    public async Task A_slash_at_the_end_means_a_collection(string text, bool collection)
    {
        await Assert.That(ObjectUrl.Parse(text, None).EndsWithSlash).IsEqualTo(collection);
    }

    [Test]
    [Arguments("", false, false)]
    [Arguments("?", false, false)]
    [Arguments("?directread", true, false)]
    [Arguments("?directread=false", true, false)]
    [Arguments("?skipstat&prefercached=1", false, false)]
    [Arguments("?directread&skipstat", true, false)]
    [Arguments("?authz=Bearer%20x", false, true)]
    [Arguments("?directread&access_token=x", true, true)]
    public async Task A_query_goes_to_the_director_as_written(string query, bool direct, bool credential)
    {
        ObjectUrl url = ObjectUrl.Parse("osdf:///a" + query, None);

        await Assert.That(url.Query).IsEqualTo(query.TrimStart('?'));
        await Assert.That(url.DirectRead).IsEqualTo(direct);
        await Assert.That(url.HasCredential).IsEqualTo(credential);
        await Assert.That(url.Path.Encoded).IsEqualTo("/a");
    }

    [Test]
    [Arguments("?directread&directread", "Parameter")]
    [Arguments("?skipstat&skipstat=1", "Parameter")]
    [Arguments("?directread&prefercached", "Parameter")]
    [Arguments("?prefercached&skipstat&directread", "Parameter")]
    [Arguments("?recursive&recursive", "Parameter")]
    [Arguments("?recursive=false", "Parameter")]
    [Arguments("?m.txt", "Parameter")]
    [Arguments("?v=2", "Parameter")]
    [Arguments("?v", "Parameter")]
    [Arguments("?DirectRead", "Parameter")]
    [Arguments("?directread&v=2", "Parameter")]
    [Arguments("?direct%72ead", "Parameter")]
    [Arguments("??", "Parameter")]
    [Arguments("?directread&a b", "Parameter")]
    [Arguments("?/b", "Parameter")]
    [Arguments("?directread&pack=tar", "Specification.NotSupported")]
    public async Task A_query_that_cannot_be_honoured_is_refused(string query, string row)
    {
        await Assert.That(Assert.Throws<PelicanException>(() => ObjectUrl.Parse("osdf:///a" + query, None)).Row.Name).IsEqualTo(row);
    }

    [Test]
    [Arguments("?recursive", "")]
    [Arguments("?recursive=true", "")]
    [Arguments("?directread&recursive&skipstat=1", "directread&skipstat=1")]
    public async Task That_a_tree_is_meant_is_not_told_to_the_director(string query, string told)
    {
        ObjectUrl url = ObjectUrl.Parse("osdf:///a" + query, None);

        await Assert.That(url.Recursive).IsTrue();
        await Assert.That(url.Query).IsEqualTo(told);
    }

    [Test]
    [Arguments("pelican://Fed.example:8444/a/?recursive", "pelican://fed.example:8444/a/x%20%25/y")]
    [Arguments("osdf://a?recursive&directread", "osdf:///a/x%20%25/y?directread")]
    [Arguments("tok+stash:///a/", "tok+stash:///a/x%20%25/y")]
    [Arguments("/a", "/a/x%20%25/y")]
    public async Task What_is_below_a_URL_is_spelled_as_the_URL_is(string text, string below)
    {
        ClientSettings settings = new() { DiscoveryUrl = "https://fed.example" };
        ObjectUrl url = ObjectUrl.Parse(text, settings);

        ObjectUrl child = url.Below("x %/y");

        await Assert.That(child.Text).IsEqualTo(below);
        await Assert.That(child).IsEqualTo(ObjectUrl.Parse(below, settings));
        await Assert.That(child.Recursive || child.EndsWithSlash).IsFalse();
    }

    [Test]
    [Arguments("file")]
    [Arguments("/abs/file")]
    [Arguments("./osdf:///a")]
    [Arguments("run:1.dat")]
    [Arguments("2026-11-05T12:00:00.dat")]
    [Arguments("C:/x")]
    [Arguments(":osdf://a")]
    [Arguments("a b+osdf:///x")]
    [Arguments("notes on osdf://a")]
    [Arguments("")]
    public async Task A_local_name_may_have_colons(string text)
    {
        await Assert.That(ObjectUrl.IsRemote(text)).IsFalse();
    }
}
