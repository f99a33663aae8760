using System.Text;
using System.Xml.Linq;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>The same listing in other words: RFC 4918 leaves open how namespaces, names, properties and statuses are written.</summary>
internal static class OddListing
{
    private static readonly XNamespace Dav = "DAV:";

    private static readonly Action<XDocument, Random>[] Ways =
    [
        (xml, _) => Self(xml)?.Remove(),
        (xml, _) => xml.Root!.Add(new XElement(Entries(xml).First())),
        (xml, random) => Shuffle(xml, random),
        (xml, _) => ChangeHrefs(xml, href => href.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : href),
        (xml, _) => ChangeHrefs(xml, href => "https://localhost" + href),
        // XRootD's names are raw: an escape would be another name.
        (xml, _) => ChangeHrefs(xml, href => xml.ToString().Contains("lp1:", StringComparison.Ordinal) ? href : Encode(href)),
        (xml, _) => ChangeHrefs(xml, href => "\n" + href + "\n"),
        (xml, _) => ChangeHrefs(xml, WithoutPrefix),
        (xml, random) => ChangeHrefs(xml, href => OddReply.Some(random, "/dav", "/api/v1.0/origin/data", "/api/v1.0/cache/data/localhost:1") + WithoutPrefix(href)),
        (xml, random) => ChangeHrefs(xml, href => OddReply.Some(random, "//localhost", "http://other.invalid:7", "HTTPS://LOCALHOST") + href),
        (xml, random) => Entries(xml).Last().Element(Dav + "href")!.Value = OddReply.Some(random, "", ".", "..", "?x", "/", "//", "http:"),
        (xml, random) => Each(xml, "href", random, href => href.ReplaceNodes(new XCData(href.Value))),
        (xml, random) => Lose(xml, "resourcetype", random),
        (xml, random) => Each(xml, "resourcetype", random, type => Refuse(type, "404 Not Found")),
        (xml, random) => Each(xml, "resourcetype", random, type => Refuse(type, "403 Forbidden")),
        (xml, random) => Each(xml, "getcontentlength", random, length => Refuse(length, "404 Not Found")),
        (xml, random) => Each(xml, "resourcetype", random, type => type.AddFirst(new XElement("{urn:x}principal"), new XText("\n"))),
        (xml, _) => Entries(xml).First().AddBeforeSelf(Entry("/dir/../etc/passwd")),
        (xml, _) => xml.Root!.Add(Dotted(xml)),
        (xml, random) => Lose(xml, "getcontentlength", random),
        (xml, random) => Lose(xml, "getlastmodified", random),
        (xml, random) => Each(xml, "getcontentlength", random, length => length.Value = OddReply.Some(random, $" {length.Value}\n", "00" + length.Value, length.Value + ".0", "", "1,000", "-1")),
        (xml, random) => Each(xml, "getlastmodified", random, date => date.Value = OddReply.OddDate(random, date.Value)),
        (xml, random) => Each(xml, "status", random, status => status.Value = status.Value.Contains("200", StringComparison.Ordinal) ? OddReply.Some(random, "HTTP/1.1 200", "HTTP/1.0 200 Fine", "HTTP/2 200", " HTTP/1.1 200 OK ") : status.Value),
        (xml, random) => Each(xml, "propstat", random, propstat => propstat.AddBeforeSelf(Missing("quota-used-bytes"))),
        (xml, random) => Each(xml, "propstat", random, propstat => propstat.AddAfterSelf(Missing("getcontentlength"))),
        (xml, random) => Each(xml, "propstat", random, propstat => propstat.Element(Dav + "status")!.Value = OddReply.Some(random, "HTTP/1.1 403 Forbidden", "HTTP/1.1 500 Oops")),
        (xml, random) => Each(xml, "prop", random, prop => prop.Add(new XElement("{urn:x}size", "17"), new XElement(Dav + "unknown"), new XComment("x"))),
        (xml, _) => xml.Root!.AddFirst(new XComment(" a comment "), new XElement(Dav + "responsedescription", "all is well")),
        (xml, _) => xml.Root!.Add(new XElement(Dav + "sync-token", "urn:x")),
        (xml, _) => xml.Root!.ReplaceWith(new XElement(Dav + "multistatus", xml.Root.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration), xml.Root.Nodes())),
        (xml, _) => Entries(xml).First().AddAfterSelf(new XElement(Dav + "response", new XElement(Dav + "href", "/unrelated/there"), new XElement(Dav + "status", "HTTP/1.1 404 Not Found"))),
    ];

    /// <summary>Changes the answer's body.</summary>
    public static void Change(Reply reply, Random random)
    {
        using StreamReader reader = new(reply.Body);
        var xml = XDocument.Parse(reader.ReadToEndAsync().GetAwaiter().GetResult());
        for (int i = random.Next(1, 3); i > 0 && Entries(xml).Any(); i--)
        {
            OddReply.Some(random, Ways)(xml, random);
        }

        xml.Root!.AddBeforeSelf(OddReply.Some<object?>(random, null, null, new XComment("x"), new XProcessingInstruction("style", "a=\"b\"")));
        string text = OddReply.Some(random, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "", "<?xml version='1.0'?>") + xml;
        text = random.Next(20) == 0 ? "<!DOCTYPE x [<!ENTITY a \"b\">]>" + xml : text;
        reply.SetBody(OddReply.Some(random, Encoding.UTF8.GetBytes(text), [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)],
            [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text.Replace("UTF-8", "UTF-16", StringComparison.Ordinal))]));
        reply.Headers["Content-Type"] = OddReply.Some(random, "application/xml", "text/xml; charset=\"utf-8\"", "application/xml;charset=UTF-8", null);
    }

    /// <summary>207 for what was not done: the members that stood in the way (RFC 4918, 9.6.1).</summary>
    public static void OfFailures(Request request, Reply reply, Random random)
    {
        reply.Status = 207;
        string status = OddReply.Some(random, "423 Locked", "403 Forbidden", "424 Failed Dependency", "507 Insufficient Storage");
        reply.SetBody(Encoding.UTF8.GetBytes($"<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>{request.RawPath}/x</D:href><D:status>HTTP/1.1 {status}</D:status></D:response></D:multistatus>"));
        (reply.Chunked, reply.Headers["Content-Length"], reply.Headers["Content-Type"]) = (false, null, "application/xml");
    }

    // The federation's own path.
    private static string WithoutPrefix(string href)
    {
        int at = href.IndexOf("/demo", StringComparison.Ordinal) is >= 0 and var open ? open : href.IndexOf("/protected", StringComparison.Ordinal);
        return at < 0 ? href : href[at..];
    }

    // Into a propstat of its own, with a status of its own.
    private static void Refuse(XElement property, string status)
    {
        XElement propstat = property.Parent!.Parent!;
        property.Remove();
        propstat.AddAfterSelf(new XElement(Dav + "propstat", new XElement(Dav + "prop", new XElement(property.Name)), new XElement(Dav + "status", "HTTP/1.1 " + status)));
    }

    private static IEnumerable<XElement> Entries(XDocument xml) => xml.Root!.Elements(Dav + "response");

    // The collection itself, below which all others are; null when it is not there any more. Nobody can know of a member that is left out.
    private static XElement? Self(XDocument xml) =>
        Entries(xml).FirstOrDefault(one => Entries(xml).All(other => Href(other).StartsWith(Href(one).TrimEnd('/'), StringComparison.Ordinal)));

    private static string Href(XElement entry) => entry.Element(Dav + "href")!.Value.Trim();

    private static void Shuffle(XDocument xml, Random random)
    {
        XElement[] entries = [.. Entries(xml)];
        foreach (XElement entry in entries)
        {
            entry.Remove();
        }

        random.Shuffle(entries);
        xml.Root!.Add(entries.Cast<object>().ToArray());
    }

    private static void ChangeHrefs(XDocument xml, Func<string, string> change)
    {
        foreach (XElement href in xml.Descendants(Dav + "href"))
        {
            href.Value = change(href.Value);
        }
    }

    // All letters of the last name as escapes, in lower-case digits.
    private static string Encode(string href)
    {
        int slash = href.TrimEnd('/').LastIndexOf('/') + 1;
        return href[..slash] + string.Concat(Uri.UnescapeDataString(href[slash..].TrimEnd('/')).SelectMany(c => Encoding.UTF8.GetBytes(c.ToString()).Select(b => $"%{b:x2}")))
            + (href.EndsWith('/') ? "/" : "");
    }

    private static XElement Dotted(XDocument xml)
    {
        XElement copy = new(Entries(xml).First());
        XElement href = copy.Element(Dav + "href")!;
        href.Value = href.Value.Trim().TrimEnd('/') + "/./";
        return copy;
    }

    private static XElement Entry(string href) =>
        new(Dav + "response", new XElement(Dav + "href", href),
            new XElement(Dav + "propstat", new XElement(Dav + "prop", new XElement(Dav + "getcontentlength", "5")), new XElement(Dav + "status", "HTTP/1.1 200 OK")));

    private static XElement Missing(string property) =>
        new(Dav + "propstat", new XElement(Dav + "prop", new XElement(Dav + property)), new XElement(Dav + "status", "HTTP/1.1 404 Not Found"));

    private static void Lose(XDocument xml, string name, Random random) => Each(xml, name, random, element => element.Remove());

    private static void Each(XDocument xml, string name, Random random, Action<XElement> act)
    {
        foreach (XElement element in xml.Descendants(Dav + name).ToArray())
        {
            if (random.Next(2) == 0)
            {
                act(element);
            }
        }
    }
}
