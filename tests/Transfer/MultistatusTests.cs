using System.IO.Pipelines;
using System.Text;
using System.Xml;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class MultistatusTests
{
    /// <summary>A listing of XRootD 5.x (xrootd.md 8): a collection, a file, an executable file.</summary>
    private const string Xrootd55 = """
        <?xml version="1.0" encoding="utf-8"?>
        <D:multistatus xmlns:D="DAV:" xmlns:ns1="http://apache.org/dav/props/" xmlns:ns0="DAV:">
        <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
        <D:href>/pf/</D:href>
        <D:propstat>
        <D:prop>
        <lp1:getcontentlength>4096</lp1:getcontentlength>
        <lp1:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</lp1:getlastmodified>
        <lp1:resourcetype><D:collection/></lp1:resourcetype>
        <lp1:iscollection>1</lp1:iscollection>
        <lp1:executable>T</lp1:executable>
        </D:prop>
        <D:status>HTTP/1.1 200 OK</D:status>
        </D:propstat>
        </D:response>
        <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
        <D:href>/pf/a b%41&amp;&lt;.txt </D:href>
        <D:propstat>
        <D:prop>
        <lp1:getcontentlength>2</lp1:getcontentlength>
        <lp1:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</lp1:getlastmodified>
        <lp1:iscollection>0</lp1:iscollection>
        <lp1:executable>F</lp1:executable>
        </D:prop>
        <D:status>HTTP/1.1 200 OK</D:status>
        </D:propstat>
        </D:response>
        <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
        <D:href>/pf/run.sh</D:href>
        <D:propstat>
        <D:prop>
        <lp1:getcontentlength>5000000000</lp1:getcontentlength>
        <lp1:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</lp1:getlastmodified>
        <lp1:iscollection>0</lp1:iscollection>
        <lp1:iscollection>1</lp1:iscollection>
        <lp1:executable>T</lp1:executable>
        </D:prop>
        <D:status>HTTP/1.1 200 OK</D:status>
        </D:propstat>
        </D:response>
        </D:multistatus>
        """;

    /// <summary>The stat of a file by XRootD 6.2.</summary>
    private const string Xrootd62 = """
        <?xml version="1.0" encoding="utf-8"?>
        <D:multistatus xmlns:D="DAV:" xmlns:ns1="http://apache.org/dav/props/" xmlns:ns0="DAV:">
        <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
        <D:href>/pf/ä.txt</D:href>
        <D:propstat><D:prop>
        <lp1:getcontentlength>2</lp1:getcontentlength>
        <lp1:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</lp1:getlastmodified>
        <lp1:resourcetype/>
        <lp1:iscollection>0</lp1:iscollection>
        <lp1:executable>F</lp1:executable>
        </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
        </D:multistatus>
        """;

    /// <summary>A listing of Pelican's own servers (federation-protocol 5.2), with the properties that they do not have.</summary>
    private const string Pelican = """
        <?xml version="1.0"?>
        <D:multistatus xmlns:D="DAV:">
         <D:response><D:href>/ns/run1/</D:href>
          <D:propstat><D:prop><D:resourcetype><D:collection xmlns:D="DAV:"/></D:resourcetype></D:prop>
           <D:status>HTTP/1.1 200 OK</D:status></D:propstat>
          <D:propstat><D:prop><D:getcontentlength/><D:getetag/></D:prop>
           <D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>
         <D:response><D:href>/ns/run1/obj%20a.dat</D:href>
          <D:propstat><D:prop><D:getcontentlength>1024</D:getcontentlength><D:getetag>"abc"</D:getetag>
           <D:getlastmodified>Tue, 01 Sep 2026 08:00:00 GMT</D:getlastmodified><D:resourcetype/></D:prop>
           <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
        </D:multistatus>
        """;

    private static readonly DateTimeOffset November = new(2026, 11, 23, 23, 47, 39, TimeSpan.Zero);

    [Test]
    public async Task A_listing_of_XRootD_5_is_read_and_its_executable_is_a_file()
    {
        List<MultistatusEntry> entries = await ReadAsync(Xrootd55);

        await Assert.That(entries[0]).IsEqualTo(new MultistatusEntry("/pf/", 4096, November, null, IsCollection: true));
        await Assert.That(entries[1]).IsEqualTo(new MultistatusEntry("/pf/a b%41&<.txt ", 2, November, null, IsCollection: false));
        await Assert.That(entries[2]).IsEqualTo(new MultistatusEntry("/pf/run.sh", 5_000_000_000, November, null, IsCollection: false));
        await Assert.That(entries.Count).IsEqualTo(3);
    }

    [Test]
    public async Task A_file_of_XRootD_6_is_read()
    {
        await Assert.That((await ReadAsync(Xrootd62)).Single())
            .IsEqualTo(new MultistatusEntry("/pf/ä.txt", 2, November, null, IsCollection: false));
    }

    [Test]
    public async Task A_listing_of_Pelican_is_read_and_what_it_has_not_is_not_taken()
    {
        List<MultistatusEntry> entries = await ReadAsync(Pelican);

        await Assert.That(entries[0]).IsEqualTo(new MultistatusEntry("/ns/run1/", null, null, null, IsCollection: true));
        await Assert.That(entries[1]).IsEqualTo(new MultistatusEntry(
            "/ns/run1/obj%20a.dat", 1024, new DateTimeOffset(2026, 9, 1, 8, 0, 0, TimeSpan.Zero), "\"abc\"", IsCollection: false));
        await Assert.That(entries.Count).IsEqualTo(2);
    }

    [Test]
    [Arguments(Xrootd55)]
    [Arguments(Xrootd62)]
    [Arguments(Pelican)]
    public async Task A_listing_that_is_cut_anywhere_is_an_error(string xml)
    {
        byte[] whole = Encoding.UTF8.GetBytes(xml);
        for (int length = 0; length < whole.Length; length++)
        {
            using MemoryStream cut = new(whole, 0, length);

            await Assert.That(async () => await ReadAsync(cut)).Throws<XmlException>().Because($"it was cut at {length}");
        }
    }

    [Test]
    [Arguments("<html><body>hello</body></html>")]
    [Arguments("<multistatus xmlns=\"urn:other\"/>")]
    [Arguments("<multistatus/>")]
    [Arguments("  ")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"></D:multistatus><more/>")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"><D:response></D:multistatus></D:response>")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"><E:response/></D:multistatus>")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>&unknown;</D:href></D:response></D:multistatus>")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"><D:response/></D:multistatus>")]
    [Arguments("""<multistatus xmlns="DAV:"><response><href>/a/</href><status>HTTP/1.1 507 Insufficient Storage</status></response></multistatus>""")]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"><D:response><D:propstat/></D:response></D:multistatus>")]
    public async Task What_is_no_multistatus_is_an_error(string xml)
    {
        await Assert.That(async () => await ReadAsync(xml)).Throws<XmlException>();
    }

    [Test]
    [Arguments("<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>")]
    [Arguments("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">")]
    [Arguments("<!DOCTYPE x [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>")]
    public async Task Document_types_and_their_entities_are_refused(string doctype)
    {
        string xml = doctype + "<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>&b;</D:href></D:response></D:multistatus>";

        await Assert.That(async () => await ReadAsync(xml)).Throws<XmlException>();
    }

    [Test]
    [Arguments("<D:multistatus xmlns:D=\"DAV:\"/>")]
    [Arguments("<multistatus xmlns=\"DAV:\"> </multistatus>")]
    public async Task An_empty_listing_is_empty(string xml)
    {
        await Assert.That(await ReadAsync(xml)).IsEmpty();
    }

    [Test]
    [Arguments("<multistatus xmlns=\"DAV:\"><response><href>/a</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>")]
    [Arguments("<x:multistatus xmlns:x=\"DAV:\"><y:response xmlns:y=\"DAV:\"><x:href>/a</x:href><x:propstat><x:prop><z:resourcetype xmlns:z=\"DAV:\"><z:collection/></z:resourcetype></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat></y:response></x:multistatus>")]
    [Arguments("<d:multistatus xmlns:d=\"DAV:\" xmlns:o=\"urn:o\"><d:response><d:href><![CDATA[/a]]></d:href><d:propstat><d:prop><d:resourcetype><d:collection></d:collection></d:resourcetype><o:getcontentlength>7</o:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>")]
    public async Task Elements_are_known_by_namespace_and_not_by_prefix(string xml)
    {
        await Assert.That((await ReadAsync(xml)).Single()).IsEqualTo(new MultistatusEntry("/a", null, null, null, IsCollection: true));
    }

    [Test]
    public async Task A_collection_of_another_namespace_makes_none()
    {
        MultistatusEntry entry = await OneAsync(
            "<D:href>/a</D:href>", "<D:resourcetype><o:collection xmlns:o=\"urn:o\"/></D:resourcetype>");

        await Assert.That(entry.IsCollection).IsFalse();
    }

    [Test]
    [Arguments("https://origin.example:8443/ns/a%20b", "/ns/a%20b")]
    [Arguments("http://origin.example", "/")]
    [Arguments("/ns/a://b", "/ns/a://b")]
    [Arguments("/ns/a&#38;b&#x41;", "/ns/a&bA")]
    [Arguments("\n/ns/a\r\n", "/ns/a")]
    [Arguments("/ns/ a ", "/ns/ a ")]
    [Arguments("/ns/a<!-- not this -->b", "/ns/ab")]
    public async Task An_href_is_a_path_without_its_server(string href, string expected)
    {
        await Assert.That((await OneAsync($"<D:href>{href}</D:href>", "<D:resourcetype/>")).Href).IsEqualTo(expected);
    }

    [Test]
    [Arguments("<D:getcontentlength>12</D:getcontentlength>", 12L)]
    [Arguments("<D:getcontentlength>\n  12\n</D:getcontentlength>", 12L)]
    [Arguments("<D:getcontentlength>9223372036854775807</D:getcontentlength>", null)]
    [Arguments("<D:getcontentlength>9223372036854775808</D:getcontentlength>", null)]
    [Arguments("<D:getcontentlength>-1</D:getcontentlength>", null)]
    [Arguments("<D:getcontentlength>1e3</D:getcontentlength>", null)]
    [Arguments("<D:getcontentlength></D:getcontentlength>", null)]
    [Arguments("<D:getcontentlength/>", null)]
    [Arguments("", null)]
    public async Task A_length_that_is_none_is_not_zero(string property, long? expected)
    {
        await Assert.That((await OneAsync("<D:href>/a</D:href>", property)).Size).IsEqualTo(expected);
    }

    [Test]
    [Arguments("Mon, 23 Nov 2026 23:47:39 GMT", true)]
    [Arguments("2026-11-23T23:47:39Z", true)]
    [Arguments("2026-11-24T00:47:39+01:00", true)]
    [Arguments("yesterday", false)]
    [Arguments("", false)]
    public async Task A_time_is_understood_or_unknown(string text, bool known)
    {
        MultistatusEntry entry = await OneAsync("<D:href>/a</D:href>", $"<D:getlastmodified>{text}</D:getlastmodified>");

        await Assert.That(entry.Modified).IsEqualTo(known ? November : null);
    }

    [Test]
    [Arguments("<D:status>HTTP/1.1 404 Not Found</D:status>")]
    [Arguments("<D:status>HTTP/1.1 410 Gone</D:status>")]
    public async Task What_has_gone_is_not_listed(string rest)
    {
        string xml = $"<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>/a</D:href>{rest}</D:response></D:multistatus>";

        await Assert.That(await ReadAsync(xml)).IsEmpty();
    }

    [Test]
    [Arguments("<D:status>HTTP/1.1 403 Forbidden</D:status>")]
    [Arguments("<D:status>HTTP/1.1 500 Internal Server Error</D:status>")]
    [Arguments("")]
    [Arguments("<D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>")]
    [Arguments("<D:propstat><D:prop><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat>")]
    [Arguments("<D:propstat><D:prop/><D:status></D:status></D:propstat>")]
    public async Task What_has_no_properties_is_there_all_the_same(string rest)
    {
        string xml = $"<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>/a</D:href>{rest}</D:response></D:multistatus>";

        await Assert.That((await ReadAsync(xml)).Single()).IsEqualTo(new MultistatusEntry("/a", null, null, null, IsCollection: false, IsKindTold: false));
    }

    [Test]
    [Arguments("<D:resourcetype/>", true)]
    [Arguments("<D:getcontentlength>4096</D:getcontentlength>", true)]
    [Arguments("<D:getcontentlength>4096</D:getcontentlength><D:iscollection>0</D:iscollection><D:iscollection>1</D:iscollection>", true)]
    [Arguments("<D:getcontentlength>4096</D:getcontentlength><D:iscollection>1</D:iscollection>", false)]
    [Arguments("<D:getcontentlength>4096</D:getcontentlength><D:resourcetype/><D:iscollection>1</D:iscollection>", false)]
    [Arguments("<D:getlastmodified>Mon, 23 Nov 2026 23:47:39 GMT</D:getlastmodified>", false)]
    public async Task Whether_it_is_an_object_is_told_or_not(string properties, bool told)
    {
        MultistatusEntry entry = await OneAsync("<D:href>/a</D:href>", properties);

        await Assert.That((entry.IsCollection, entry.IsKindTold)).IsEqualTo((false, told));
    }

    [Test]
    public async Task A_status_may_stand_on_a_line_of_its_own()
    {
        string xml = """
            <D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href><D:propstat>
              <D:prop><D:getcontentlength>1</D:getcontentlength></D:prop>
              <D:status>
                HTTP/1.1 200 OK
              </D:status>
            </D:propstat></D:response></D:multistatus>
            """;

        await Assert.That((await ReadAsync(xml)).Single().Size).IsEqualTo(1);
    }

    [Test]
    [Arguments("/a\u0001b", "/a\uFFFDb")]
    [Arguments("/a\u001b[31m", "/a\uFFFD[31m")]
    [Arguments("/a\uFFFFb", "/a\uFFFDb")]
    [Arguments("/a&#1;b", "/a\u0001b")]
    [Arguments("/a\nb", "/a\nb")]
    [Arguments("/a\u007f😀", "/a\u007f😀")]
    public async Task A_name_with_a_control_character_does_not_spoil_the_listing(string href, string expected)
    {
        await Assert.That((await OneAsync($"<D:href>{href}</D:href>", "<D:resourcetype/>")).Href).IsEqualTo(expected);
    }

    [Test]
    public async Task A_name_that_is_not_UTF8_does_not_spoil_the_listing()
    {
        byte[] xml = Encoding.Latin1.GetBytes(Document("<D:href>/caf\u00e9</D:href>", "<D:resourcetype/>"));

        await Assert.That((await ReadAsync(new MemoryStream(xml))).Single().Href).IsEqualTo("/caf\uFFFD");
    }

    [Test]
    [Timeout(20_000)]
    public async Task A_body_that_falls_silent_can_be_left(CancellationToken cancellationToken)
    {
        Pipe pipe = new();
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(Pelican[..300]), cancellationToken);
        using CancellationTokenSource user = new();

        Task<List<MultistatusEntry>> reading = ReadAsync(pipe.Reader.AsStream(), user.Token);
        await user.CancelAsync();

        await Assert.That(async () => await reading.WaitAsync(cancellationToken)).Throws<OperationCanceledException>();
        await Assert.That(cancellationToken.IsCancellationRequested).IsFalse();
    }

    [Test]
    public async Task Thousands_of_entries_come_in_order()
    {
        StringBuilder xml = new("<D:multistatus xmlns:D=\"DAV:\">");
        for (int i = 0; i < 5000; i++)
        {
            xml.Append("<D:response><D:href>/").Append(i).Append("</D:href><D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>");
        }

        List<MultistatusEntry> entries = await ReadAsync(xml.Append("</D:multistatus>").ToString());

        await Assert.That(entries.Select(e => e.Href).SequenceEqual(Enumerable.Range(0, 5000).Select(i => $"/{i}"))).IsTrue();
    }

    private static string Document(string href, string properties) =>
        $"<D:multistatus xmlns:D=\"DAV:\"><D:response>{href}<D:propstat><D:prop>{properties}</D:prop>"
        + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>";

    private static async Task<MultistatusEntry> OneAsync(string href, string properties) => (await ReadAsync(Document(href, properties))).Single();

    private static async Task<List<MultistatusEntry>> ReadAsync(string xml)
    {
        using MemoryStream body = new(Encoding.UTF8.GetBytes(xml));
        return await ReadAsync(body);
    }

    private static async Task<List<MultistatusEntry>> ReadAsync(Stream body, CancellationToken cancellationToken = default)
    {
        List<MultistatusEntry> entries = [];
        await foreach (MultistatusEntry entry in Multistatus.ReadAsync(body, cancellationToken))
        {
            entries.Add(entry);
        }

        return entries;
    }
}
