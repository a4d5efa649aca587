import { compareLines, compareFields, goldenNames } from "./golden.ts";
const which=process.argv[2]!; const only=process.argv[3]?.split(",");
let T=0,E=0; const byWhat=new Map<string,number>(); const ex=new Map<string,any>(); const abs=new Map<string,number>(); const absEx=new Map<string,any>();
for(const n of goldenNames()){ if(only&&only[0]!=="all"&&!only.includes(n))continue;
  const t=performance.now();
  const r:any= which==="lines"?await compareLines(n):await compareFields(n,7);
  T+=r.total;E+=r.equal;
  console.log(n,r.equal,r.total,(100*r.equal/r.total).toFixed(3)+"%",((performance.now()-t)/1000).toFixed(1)+"s");
  for(const d of r.differences){ let k=d.what; if(which==="lines"){ const a=d.ours.split(" "),b=d.theirs.split(" "); let i=0; while(i<a.length&&a[i]===b[i])i++; k=(d.theirs.split(") ")[1]??"").split(" ")[0]+" "+(b[i]??"").split("=")[0]; }
    byWhat.set(k,(byWhat.get(k)??0)+1); const l=ex.get(k)??[]; if(l.length<(Number(process.argv[4])||2)) l.push({n,...d}); ex.set(k,l);}
  for(const d of r.absent??[]){abs.set(d.what,(abs.get(d.what)??0)+1); const l=absEx.get(d.what)??[]; if(l.length<1) l.push({n,...d}); absEx.set(d.what,l);}
}
console.log("TOTAL",E,T,(100*E/T).toFixed(4));
for(const [k,c] of [...byWhat].sort((a,b)=>b[1]-a[1]).slice(0,45)){ console.log("==",k,c); for(const e of ex.get(k)) console.log("   ",e.n,e.event,"\n      ours  ",e.ours.slice(0,300),"\n      theirs",e.theirs.slice(0,300)); }
if(abs.size) console.log("ABSENT in theirs:"); for(const [k,c] of [...abs].sort((a,b)=>b[1]-a[1]).slice(0,30)) console.log("==",k,c,JSON.stringify(absEx.get(k)).slice(0,200));
