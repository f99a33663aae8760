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
        (xml, _) => Entries(xml).First().Remove(),
        (xml, _) => xml.Root!.Add(new XElement(Entries(xml).First())),
        (xml, random) => Shuffle(xml, random),
        (xml, _) => ChangeHrefs(xml, href => href.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : href),
        (xml, _) => ChangeHrefs(xml, href => "https://localhost" + href),
        // XRootD's names are raw: an escape would be another name.
        (xml, _) => ChangeHrefs(xml, href => xml.ToString().Contains("lp1:", StringComparison.Ordinal) ? href : Encode(href)),
        (xml, _) => ChangeHrefs(xml, href => "\n  " + href + "\n"),
        (xml, _) => Entries(xml).First().AddBeforeSelf(Entry("/dir/../etc/passwd")),
        (xml, _) => xml.Root!.Add(Dotted(xml)),
        (xml, random) => Lose(xml, "getcontentlength", random),
        (xml, random) => Lose(xml, "getlastmodified", random),
        (xml, random) => Each(xml, "getcontentlength", random, length => length.Value = OddReply.Some(random, $" {length.Value}\n", "00" + length.Value, length.Value + ".0", "", "1,000", "-1")),
        (xml, random) => Each(xml, "getlastmodified", random, date => date.Value = OddReply.OddDate(random, date.Value)),
        (xml, random) => Each(xml, "status", random, status => status.Value = OddReply.Some(random, "HTTP/1.1 200", "HTTP/1.0 200 Fine", "HTTP/2 200", " HTTP/1.1 200 OK ")),
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

        string text = OddReply.Some(random, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "", "<?xml version='1.0'?>") + xml;
        reply.SetBody(OddReply.Some(random, Encoding.UTF8.GetBytes(text), [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)]));
        reply.Headers["Content-Type"] = OddReply.Some(random, "application/xml", "text/xml; charset=\"utf-8\"", "application/xml;charset=UTF-8", null);
    }

    private static IEnumerable<XElement> Entries(XDocument xml) => xml.Root!.Elements(Dav + "response");

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
        href.Value = href.Value.TrimEnd('/') + "/./";
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
