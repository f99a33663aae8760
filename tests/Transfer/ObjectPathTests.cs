using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ObjectPathTests
{
    [Test]
    [Arguments("/ns/a-b_c.d~e", "/ns/a-b_c.d~e")]
    [Arguments("/a b", "/a%20b")]
    [Arguments("/ a ", "/%20a%20")]
    [Arguments("/100%", "/100%25")]
    [Arguments("/a%41", "/a%2541")]
    [Arguments("/a+b", "/a%2Bb")]
    [Arguments("/a#b?c;d", "/a%23b%3Fc%3Bd")]
    [Arguments("/a:b@c=d&e", "/a%3Ab%40c%3Dd%26e")]
    [Arguments("/a\\b\"c", "/a%5Cb%22c")]
    [Arguments("/line\nfeed", "/line%0Afeed")]
    [Arguments("/blå/☃", "/bl%C3%A5/%E2%98%83")]
    [Arguments("/😀", "/%F0%9F%98%80")]
    public async Task A_plain_name_is_escaped_byte_by_byte(string plain, string encoded)
    {
        ObjectPath path = ObjectPath.FromPlain(plain);

        await Assert.That(path.Encoded).IsEqualTo(encoded);
        await Assert.That(path.Decoded).IsEqualTo(plain);
        await Assert.That(ObjectPath.FromEscaped(path.Encoded)).IsEqualTo(path);
    }

    [Test]
    [Arguments("/a%20b", "/a%20b")]
    [Arguments("/a b", "/a%20b")]
    [Arguments("/a+b", "/a%2Bb")]
    [Arguments("/%61%7e", "/a~")]
    [Arguments("/%c3%a5å", "/%C3%A5%C3%A5")]
    [Arguments("/a%2541", "/a%2541")]
    [Arguments("/a%FFb", "/a%FFb")]
    [Arguments("/a%2Fb", "/a/b")]
    [Arguments("/a%3Fb", "/a%3Fb")]
    public async Task Escapes_of_an_URL_are_undone_once(string escaped, string encoded)
    {
        await Assert.That(ObjectPath.FromEscaped(escaped).Encoded).IsEqualTo(encoded);
    }

    [Test]
    [Arguments("/a b/☃", "/a b/☃")]
    [Arguments("/a b/\n", "/a%20b/%0A")]
    public async Task In_messages_it_is_one_line(string plain, string shown)
    {
        await Assert.That(ObjectPath.FromPlain(plain).ToString()).IsEqualTo(shown);
    }

    [Test]
    public async Task A_letter_in_two_compositions_is_two_names()
    {
        await Assert.That(ObjectPath.FromPlain("/\u00e5")).IsNotEqualTo(ObjectPath.FromPlain("/a\u030a"));
    }

    [Test]
    public async Task What_is_not_UTF8_is_shown_with_a_mark_and_sent_as_it_is()
    {
        ObjectPath path = ObjectPath.FromEscaped("/d/a%FF");

        await Assert.That(path.Decoded).IsEqualTo("/d/a\uFFFD");
        await Assert.That(path.Name).IsEqualTo("a\uFFFD");
        await Assert.That(path.Append("b").Encoded).IsEqualTo("/d/a%FF/b");
    }

    [Test]
    [Arguments("", "/")]
    [Arguments("/", "/")]
    [Arguments("//", "/")]
    [Arguments("/.", "/")]
    [Arguments("a/b", "/a/b")]
    [Arguments("//a///b//", "/a/b")]
    [Arguments("/a/./b/.", "/a/b")]
    [Arguments("/a/", "/a")]
    [Arguments("/.a/b./...", "/.a/b./...")]
    [Arguments("/..a/b..", "/..a/b..")]
    public async Task Empty_components_and_dots_fall_away(string given, string encoded)
    {
        await Assert.That(ObjectPath.FromPlain(given).Encoded).IsEqualTo(encoded);
        await Assert.That(ObjectPath.FromEscaped(given).Encoded).IsEqualTo(encoded);
    }

    [Test]
    [Arguments("..")]
    [Arguments("/a/../b")]
    [Arguments("/a/..")]
    [Arguments("/a/%2e%2E/b")]
    [Arguments("/a%2F..%2Fb")]
    [Arguments("/a%00b")]
    [Arguments("/a\0b")]
    [Arguments("/100%")]
    [Arguments("/a%2")]
    [Arguments("/a%zz")]
    [Arguments("/a%+1b")]
    public async Task What_a_server_would_take_for_something_else_is_refused(string escaped)
    {
        PelicanException error = Assert.Throws<PelicanException>(() => ObjectPath.FromEscaped(escaped));

        await Assert.That(error.Row).IsEqualTo(Errors.Parameter);
        await Assert.That(error.NextStep).IsNotNull();
        await Assert.That(error.Message).DoesNotContain("\0");
    }

    [Test]
    [Arguments("/a/b", "/a/b", true)]
    [Arguments("/a/b/c", "/a/b", true)]
    [Arguments("/a", "/", true)]
    [Arguments("/", "/", true)]
    [Arguments("/a/bc", "/a/b", false)]
    [Arguments("/a", "/a/b", false)]
    [Arguments("/", "/a", false)]
    [Arguments("/A/b", "/a", false)]
    public async Task A_path_lies_below_another_by_whole_components(string path, string prefix, bool below)
    {
        await Assert.That(ObjectPath.FromPlain(path).IsBelow(ObjectPath.FromPlain(prefix))).IsEqualTo(below);
    }

    [Test]
    [Arguments("/", "b", "/b")]
    [Arguments("/a", "b", "/a/b")]
    [Arguments("/a", "50% of #1", "/a/50%25%20of%20%231")]
    public async Task A_child_has_its_plain_name(string parent, string name, string encoded)
    {
        ObjectPath child = ObjectPath.FromPlain(parent).Append(name);

        await Assert.That(child.Encoded).IsEqualTo(encoded);
        await Assert.That(child.Name).IsEqualTo(name);
    }

    [Test]
    public async Task The_root_has_no_name()
    {
        await Assert.That(ObjectPath.Root.Name).IsEqualTo("");
        await Assert.That(ObjectPath.FromPlain("/")).IsEqualTo(ObjectPath.Root);
    }
}
