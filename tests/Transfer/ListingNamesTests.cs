using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ListingNamesTests
{
    [Test]
    [Arguments("/p/ns/d", null)]
    [Arguments("/ns/d/", null)]
    [Arguments("/ns/d/a%20b", "a b")]
    [Arguments("/p/ns/d/a/", "a")]
    [Arguments("/ns/d/./a", "a")]
    [Arguments("/ns/d/a%2541", "a%41")]
    public async Task What_is_in_the_collection_or_is_it_has_a_name(string href, string? expected)
    {
        bool known = new ListingNames(["/p/ns/d", "/ns/d"], literal: false).TryRead(href, out string? name);

        await Assert.That((known, name)).IsEqualTo((true, expected));
    }

    [Test]
    [Arguments("/ns/e/a")]
    [Arguments("/ns/d/a/b")]
    [Arguments("/ns/d/../x")]
    [Arguments("/ns/d//x")]
    [Arguments("/ns/d/%2E%2E")]
    [Arguments("/ns/d/..%2Fx")]
    [Arguments("/ns/d/a%2Fb")]
    [Arguments("/ns/d/a%00")]
    [Arguments("/q/ns/d/a")]
    [Arguments("ns/d/a")]
    [Arguments("/")]
    [Arguments("")]
    public async Task Anything_else_has_none(string href)
    {
        await Assert.That(new ListingNames(["/p/ns/d", "/ns/d"], literal: false).TryRead(href, out _)).IsFalse();
    }

    [Test]
    public async Task What_fits_the_first_entry_is_the_collection_for_all_others()
    {
        ListingNames names = new(["/a/a", "/a"], literal: false);

        await Assert.That(names.TryRead("/a/a/", out string? self) && self is null).IsTrue();
        await Assert.That(names.TryRead("/a/a", out string? again) && again is null).IsTrue();
        await Assert.That(names.TryRead("/a/a/b", out string? child) && child == "b").IsTrue();
    }

    [Test]
    public async Task A_name_that_is_written_as_it_is_keeps_its_percent_signs()
    {
        ListingNames names = new(["/ns/a%20b%2541"], literal: true);

        await Assert.That(names.TryRead("/ns/a%20b%2541", out string? self) && self is null).IsTrue();
        await Assert.That(names.TryRead("/ns/a b%41/c%20d", out string? child) && child == "c%20d").IsTrue();
        await Assert.That(names.TryRead("/ns/a b%41/%2E%2E", out string? odd) && odd == "%2E%2E").IsTrue();
    }

    [Test]
    public async Task The_root_has_names_as_well()
    {
        ListingNames names = new(["/"], literal: false);

        await Assert.That(names.TryRead("/", out string? self) && self is null).IsTrue();
        await Assert.That(names.TryRead("/ns/", out string? child) && child == "ns").IsTrue();
    }
}
